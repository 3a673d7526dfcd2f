// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken client`: the OAuth clients that grants are made for.
struct ClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "List, set and remove the OAuth clients that grants are made for.",
        subcommands: [ClientListCommand.self, ClientSetCommand.self, ClientRemoveCommand.self]
    )
}

/// The name of an OAuth client.
struct ClientArgument: ParsableArguments {
    @Argument(help: "The client's name: letters a to z, digits, dots, dashes and underscores.")
    var name: String

    func validate() throws {
        if name.isEmpty { throw ValidationError("NAME must not be empty.") }
    }
}

/// `tastytoken client list`.
struct ClientListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the OAuth clients; default is the configuration's.",
        discussion:
            "ACCOUNTS says how many accounts still hang on a client, as before its secret is made anew at TastyTrade."
    )

    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    /// What the daemon answers.
    private struct Listing: Decodable {
        let clients: [ClientReply]
    }

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let reply = try socket.client.get(APIPath.clients, within: SocketClient.patience)
            let clients = try reply.decoded(Listing.self, of: nil).clients
            guard !json else { return Console.print(RawJSON(reply.body[...]).line) }
            Console.print(TextTable(ClientRows(clients).cells).lines.joined(separator: "\n"))
        }
    }
}

/// `tastytoken client remove NAME`.
struct ClientRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an OAuth client that no account has a grant of."
    )

    @OptionGroup var client: ClientArgument
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let request = SocketRequest(method: .delete, target: APIPath.client(client.name))
            let reply = try socket.client.ask(request, within: SocketClient.patienceForChanges)
            guard reply.status != 404 else {
                throw Failure(.usage, "there is no OAuth client \(Failure.shown(client.name)).")
            }
            guard reply.status == 204 else { throw reply.failure(of: nil) }
            Console.print("OAuth client \(Failure.shown(client.name)) is removed")
        }
    }
}
