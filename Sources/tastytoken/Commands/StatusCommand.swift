// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken status USER`: how an account stands.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the account of a user stands."
    )

    @OptionGroup var subject: UserArgument
    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let reply = try socket.client.get(APIPath.status(of: subject.user), within: SocketClient.patience)
            let status = try reply.decoded(StatusReply.self, of: subject.user)
            if json {
                Console.print(reply.text)
            } else {
                Console.print(StatusText(status, inColour: Console.isColourful).lines.joined(separator: "\n"))
            }
        }
    }
}
