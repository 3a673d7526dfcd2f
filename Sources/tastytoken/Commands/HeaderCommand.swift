// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken header USER`: the header field that a call of the API needs, for `curl -H "$(…)"`.
struct HeaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "header",
        abstract: "Print the Authorization header of a user."
    )

    @OptionGroup var subject: UserArgument
    @OptionGroup var wish: TokenWish
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let answer = try wish.request(for: subject.user, by: socket.client).answer()
            Console.print("Authorization: \(answer.token.tokenType) \(try answer.presentableToken())")
        }
    }
}
