// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken explain USER`: why an account stands as it does, and what would mend it.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell why the account of a user stands as it does, and what would mend it.",
        discussion: """
            Also shows the last attempts to refresh its token, and when the next one is and why then.

            EXAMPLES
              tastytoken explain 42
              tastytoken explain 42 --json | jq -r .remedy
            """
    )

    @OptionGroup var subject: UserArgument
    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let reply = try socket.client.get(APIPath.explanation(of: subject.user), within: SocketClient.patience)
            let explanation = try reply.decoded(Explanation.self, of: subject.user)
            guard !json else { return Console.print(RawJSON(reply.body[...]).line) }
            let now = Console.isTerminal ? WallClock.now : nil
            let text = ExplanationText(explanation, inColour: Console.isColourful, at: now)
            Console.print(text.lines.joined(separator: "\n"))
        }
    }
}
