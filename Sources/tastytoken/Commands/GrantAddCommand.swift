// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// `tastytoken grant add USER`: hands over a refresh token that was made by hand.
struct GrantAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Connect a user's account with a refresh token that was made by hand.",
        discussion: """
            Make the grant at my.tastytrade.com (Manage > My Profile > API > OAuth Applications), with Manage and Create Grant; \
            TastyTrade shows the refresh token once. It is read from standard input, or asked for at a terminal and not shown. The daemon looks at it, \
            tries it with one refresh, and only then puts it into the user's row, in place of what stands there.

            EXAMPLES
              tastytoken grant add 42
              tastytoken grant add 42 --client second < refresh-token
            """
    )

    @OptionGroup var subject: UserArgument
    // What is taken for nothing would be quoted in the complaint.
    @Argument(help: .hidden)
    var surplus: [String] = []
    @Option(
        help: ArgumentHelp(
            "The OAuth client that the grant was made for; see tastytoken client list.",
            valueName: "name"
        )
    )
    var client: String?
    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func validate() throws {
        guard surplus.isEmpty else {
            throw ValidationError(
                "The refresh token is no argument, since other processes can read those: it is read from standard input, or asked for. "
                    + "If you gave it here, delete its grant at TastyTrade and make another one."
            )
        }
    }

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let token = try SecretEntry.read("refresh token of user \(Failure.shown(subject.user))")
            let reply = try socket.client.ask(request(token), within: SocketClient.patienceForProofs)
            try ConnectedAccount.show(reply, of: subject.user, asJSON: json)
        }
    }

    private func request(_ token: String) -> SocketRequest {
        var body = JSONText()
        body.add(EnrollmentField.refreshToken, token)
        if let client { body.add(EnrollmentField.client, client) }
        body.close()
        return SocketRequest(method: .put, target: APIPath.grant(of: subject.user), body: body.bytes)
    }
}
