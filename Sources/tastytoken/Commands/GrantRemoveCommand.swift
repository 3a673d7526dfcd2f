// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// `tastytoken grant remove USER`: forgets a grant.
struct GrantRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a user's grant: empty the three columns of the row.",
        discussion: """
            TastyTrade still knows the grant; delete it there as well: my.tastytrade.com (Manage > My Profile > API > OAuth Applications).
            """
    )

    @OptionGroup var subject: UserArgument
    @Flag(help: "Do not ask at a terminal.")
    var yes = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let user = Failure.shown(subject.user)
            guard yes || isatty(STDIN_FILENO) != 1 || confirmed(user) else {
                throw Failure(.usage, "nothing was changed.")
            }
            let request = SocketRequest(method: .delete, target: APIPath.grant(of: subject.user))
            let reply = try socket.client.ask(request, within: SocketClient.patienceForChanges)
            guard reply.status == 204 else { throw reply.failure(of: subject.user) }
            Console.print(
                "the grant of user \(user) is forgotten here; TastyTrade still knows it: delete it at "
                    + "my.tastytrade.com (Manage > My Profile > API > OAuth Applications)"
            )
        }
    }

    private func confirmed(_ user: String) -> Bool {
        Console.ask("Forget the grant of user \(user)? Its programs get no tokens any more. [y/N] ")
        return readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
    }
}
