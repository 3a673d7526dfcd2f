// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken console`: a link to the web pages.
struct ConsoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Print a link that opens the web pages, once, within a minute.",
        discussion: """
            The link stands alone on standard output; open it in a browser, and press the button there. The session lasts half \
            an hour. Whoever has the link may use it. It takes the right admin.

            EXAMPLES
              tastytoken console
              xdg-open "$(tastytoken console)"
            """
    )

    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let request = SocketRequest(method: .post, target: APIPath.consoleLinks)
            let link = try socket.client.ask(request, within: SocketClient.patience).decoded(LinkReply.self, of: nil)
            let advice = LinkAdvice(link, atMicroseconds: WallClock.now, connection: Console.variable("SSH_CONNECTION"))
            guard advice.isWellFormed else { throw HTTPReply.garbled }
            Console.print(link.link)
            for line in advice.lines { Console.warn(line) }
        }
    }
}
