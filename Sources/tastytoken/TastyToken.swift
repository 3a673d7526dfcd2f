// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// The client of the daemon: asks over its socket, prints the answer, and ends with a status that scripts can act on.
@main
struct TastyToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tastytoken",
        abstract: "Get TastyTrade access tokens from tastytokend.",
        discussion: """
            Exit status: 0 done; 64 wrong usage; 67 unknown user; 69 no daemon; 75 try later; \
            77 not allowed; 78 the grant needs a person.
            """,
        version: ProductVersion.current,
        subcommands: [TokenCommand.self, HeaderCommand.self, StatusCommand.self]
    )

    /// Runs the plainest command line at once, and leaves every other to the argument parser.
    static func main() {
        guard let request = TokenRequest(plain: CommandLine.arguments.dropFirst()) else { return main(nil) }
        let end = Console.end(of: { () throws(Failure) in
            Console.print(try request.answer().presentableToken())
        })
        Glibc.exit(end.rawValue)
    }
}

/// The option that every command has.
struct SocketOption: ParsableArguments {
    @Option(
        name: .customLong("socket"),
        help: "The daemon's socket; else $\(SocketLocation.variable), else \(SocketLocation.standard)."
    )
    var path: String?

    /// Asks the daemon there.
    var client: SocketClient {
        SocketClient(at: path)
    }
}

/// The user whose token or account is asked for.
struct UserArgument: ParsableArguments {
    @Argument(help: "The user's id, as in the id column of the user table.")
    var user: String

    func validate() throws {
        if user.isEmpty { throw ValidationError("USER must not be empty.") }
    }
}
