// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken header USER`: the header field that a call of the API needs, for `curl -H @-`.
struct HeaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "header",
        abstract: "Print the Authorization header of a user.",
        discussion: """
            EXAMPLES
              tastytoken header 42 | curl -H @- "$API_URL/customers/me/accounts"

            Read so by curl, the token stands in no command line, where every process list would show it. API_URL is the \
            api_url of tastytoken token 42 --json; tastytoken exec has an example that sets it.
            """
    )

    @OptionGroup var subject: UserArgument
    @OptionGroup var wish: TokenWish
    @Flag(help: "Print a JSON object with the header's name and value.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let answer = try wish.request(for: subject.user, by: socket.client).answer()
            let value = "\(answer.token.tokenType) \(try answer.presentableToken())"
            Console.print(json ? Self.json(value) : "\(Self.name): \(value)")
        }
    }

    private static let name = "Authorization"

    private static func json(_ value: String) -> String {
        var text = JSONText()
        text.add(name, value)
        text.close()
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
