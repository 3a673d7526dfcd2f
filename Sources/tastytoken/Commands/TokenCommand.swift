// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser

/// `tastytoken token USER`: the bare token, for `$(…)` and pipes.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print a live access token of a user.",
        discussion: """
            The token is printed alone on its line, for $(…) and pipes. One that lives shorter than --min-ttl asks for is \
            printed too, with a warning on standard error; a dead one never is.

            A token that has less left than --min-ttl says is replaced first, unless half of its life is left: so it is \
            of no use to ask for more than that half, 450 s of TastyTrade's 15 minutes.

            EXAMPLES
              token=$(tastytoken token 42) || exit
              tastytoken token 42 --min-ttl 120 --max-wait 5
              tastytoken token 42 --json | jq -r .expires_at
            """
    )

    @OptionGroup var subject: UserArgument
    @OptionGroup var wish: TokenWish
    @Flag(help: "Print the whole reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    /// What the command line asks for.
    var request: TokenRequest { wish.request(for: subject.user, by: socket.client) }

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let answer = try request.answer()
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
            "How long the token should live yet; 60 unless given. It is replaced for that unless half of its life is left.",
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

    /// What is asked for so.
    func request(for user: String, by client: SocketClient) -> TokenRequest {
        TokenRequest(user: user, minimumLife: minTtl, maximumWait: maxWait, client: client)
    }
}
