// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken client set NAME`: makes an OAuth client, or changes one.
struct ClientSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Make an OAuth client, or change one.",
        discussion: """
            What is left out stays as it is; in a new client it is the configuration's. The client secret is read from standard \
            input, or asked for at a terminal and not shown; it is stored sealed, and the next refresh uses it. Making it \
            anew at TastyTrade kills the grants of the client: move its accounts to a second client first.

            EXAMPLES
              tastytoken client set second --client-id 5d1b0a8e-3c47-4f1e-9a56-0e7b2f9c4d21 < client-secret
              tastytoken client set second --no-secret --scopes "read trade"
            """
    )

    @OptionGroup var client: ClientArgument
    @Option(help: ArgumentHelp("The client id that TastyTrade shows.", valueName: "id"))
    var clientId: String?
    @Option(help: ArgumentHelp("production or sandbox.", valueName: "environment"))
    var environment: String?
    @Option(
        help: ArgumentHelp("Where the authorize page sends people back to, as it is registered.", valueName: "address")
    )
    var redirectUri: String?
    @Option(help: ArgumentHelp("What the client asks for, separated by spaces.", valueName: "scopes"))
    var scopes: String?
    @Flag(help: "Leave the secret as it is.")
    var noSecret = false
    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let secret = noSecret ? nil : try SecretEntry.read("client secret of \(Failure.shown(client.name))")
            let reply = try socket.client.ask(request(secret), within: SocketClient.patienceForChanges)
            let stands = try reply.decoded(ClientReply.self, of: nil)
            try Notes.show(reply, of: nil)
            guard !json else { return Console.print(RawJSON(reply.body[...]).line) }
            Console.print(TextTable(ClientRows([stands]).cells).lines.joined(separator: "\n"))
        }
    }

    private func request(_ secret: String?) -> SocketRequest {
        var body = JSONText()
        if let clientId { body.add(ClientReply.CodingKeys.clientID.rawValue, clientId) }
        if let secret { body.add(EnrollmentField.clientSecret, secret) }
        if let environment { body.add(ClientReply.CodingKeys.environment.rawValue, environment) }
        if let redirectUri { body.add(ClientReply.CodingKeys.redirectURI.rawValue, redirectUri) }
        if let scopes { body.add(ClientReply.CodingKeys.scopes.rawValue, scopes) }
        body.close()
        return SocketRequest(method: .put, target: APIPath.client(client.name), body: body.bytes)
    }
}
