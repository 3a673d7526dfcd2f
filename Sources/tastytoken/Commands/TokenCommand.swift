// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken token USER`: the bare token, for `$(…)` and pipes.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print a live access token of a user."
    )

    @OptionGroup var subject: UserArgument
    @OptionGroup var wish: TokenWish
    @Flag(help: "Print the whole reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let answer = try wish.token(of: subject.user, from: socket.client)
            if json {
                Console.print(answer.json)
            } else {
                Console.print(try answer.presentableToken())
            }
        }
    }
}

/// How long the token must live, and how long the daemon may take.
struct TokenWish: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long the token must live yet; half of a token's life at most counts.",
            valueName: "seconds"
        )
    )
    var minTtl: Int?
    @Option(
        help: ArgumentHelp("How long to wait for one that does; 10 unless given, at most 60.", valueName: "seconds")
    )
    var maxWait: Int?

    func validate() throws {
        if let minTtl, minTtl < 0 { throw ValidationError("--min-ttl must be 0 or more.") }
        if let maxWait, maxWait < 0 { throw ValidationError("--max-wait must be 0 or more.") }
    }

    /// Asks for the token, and says on standard error if it lives shorter than it should.
    func token(of user: String, from client: SocketClient) throws(Failure) -> TokenAnswer {
        let path = APIPath.token(of: user, minimumLife: minTtl, maximumWait: maxWait)
        let patience = min(maxWait ?? 10, 60) + SocketClient.patience
        let reply = try client.get(path, within: patience)
        let answer = try TokenAnswer(reply, of: user)
        if let reason = reply[HeaderName.degraded] {
            Console.warn(
                "the token of user \(user) lives for \(answer.token.expiresIn) s only (\(Failure.shown(reason)))"
            )
        }
        return answer
    }
}
