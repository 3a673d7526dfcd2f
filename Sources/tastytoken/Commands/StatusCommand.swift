// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken status [USER]`: how accounts stand, once or all the time.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the account of a user stands, or all accounts.",
        discussion: """
            A status is active, refreshing, degraded (refreshes fail, the token lives), expired (they fail, and it is \
            dead), reauthorization_required, unknown_outcome, unreadable or no_grant; tastytoken explain says why.

            With --watch, a terminal shows a live table: what is in trouble first, then what expires soonest; q ends it. \
            Without a terminal, each change is a line of its own. A daemon that is away, or not there yet, is waited for.

            EXAMPLES
              tastytoken status 42
              tastytoken status --client default
              tastytoken status --watch
              tastytoken status --json | jq '.users[] | select(.status != "active")'
              tastytoken status --watch --json | jq -c --unbuffered '[.user, .status]'
            """
    )

    @Argument(help: "The user's id, as in the id column of the user table; without it, everybody's account.")
    var user: String?
    @Option(
        help: ArgumentHelp(
            "Only accounts with grants of this OAuth client, which have yet to be connected with another.",
            valueName: "name"
        )
    )
    var client: String?
    @Flag(help: "Print JSON: the reply; with --watch, an account a line.")
    var json = false
    @Flag(help: "Go on showing how things stand.")
    var watch = false
    @OptionGroup var socket: SocketOption

    func validate() throws {
        if user?.isEmpty == true { throw ValidationError("USER must not be empty.") }
        if user != nil, client != nil {
            throw ValidationError("--client is for everybody's accounts; leave USER away.")
        }
    }

    private var scope: AccountScope { user.map(AccountScope.one) ?? client.map(AccountScope.ofClient) ?? .all }

    func run() throws {
        let ending = try Console.carryingOut { () throws(Failure) -> Ending in
            switch (watch, user) {
            case (true, _) where Console.isTerminal && !json: return try LiveTable(scope, socket.client).run()
            case (true, _): try AccountFeed(scope, socket.client, asJSON: json).run()
            case (false, let user?): try Self.print(user, socket.client, asJSON: json)
            case (false, nil): try AccountListing(scope, asJSON: json).print(from: socket.client)
            }
            return .done
        }
        ending.carryOut()
    }

    private static func print(_ user: String, _ client: SocketClient, asJSON isJSON: Bool) throws(Failure) {
        let reply = try client.get(APIPath.status(of: user), within: SocketClient.patience)
        let status = try reply.decoded(StatusReply.self, of: user)
        guard !isJSON else { return Console.print(RawJSON(reply.body[...]).line) }
        let now = Console.isTerminal ? WallClock.now : nil
        let text = StatusText(status, inColour: Console.isColourful, at: now)
        Console.print(text.lines.joined(separator: "\n"))
    }
}
