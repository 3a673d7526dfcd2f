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
            The daemon keeps the tokens fresh; this asks it for them, over its socket. The \
            caller needs a rule under access in the daemon's configuration.

            EXAMPLES
              tastytoken token 42
              tastytoken header 42 | curl -H @- https://api.tastyworks.com/customers/me/accounts
              tastytoken exec 42 -- ./close-positions
              tastytoken watch 42 | while read -r line; do …; done
              tastytoken status --watch
              tastytoken explain 42
              tastytoken doctor 42
              tastytoken grant add 42 < refresh-token
              tastytoken console

            EXIT STATUS
              0   done
              64  wrong usage
              67  no such user
              69  no daemon at the socket
              75  try later: no live token now, or too busy
              77  not allowed, by the rules or by the socket's mode
              78  the grant needs a person: see tastytoken explain
            """,
        version: ProductVersion.current,
        subcommands: [
            TokenCommand.self, HeaderCommand.self, ExecCommand.self, WatchCommand.self, RefreshCommand.self,
            StatusCommand.self, ExplainCommand.self, DoctorCommand.self, GrantCommand.self, ClientCommand.self,
            ConsoleCommand.self,
        ]
    )

    /// Runs the plainest command line at once, and leaves every other to the argument parser.
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let request = TokenRequest(plain: arguments) else { return leaveToParser(arguments) }
        let end = Console.end(of: { () throws(Failure) in
            Console.print(try request.answer().presentableToken())
        })
        Glibc.exit(end.rawValue)
    }

    private static func leaveToParser(_ arguments: ArraySlice<String>) {
        guard let failure = UnknownCommand(in: arguments, knowing: commandNames)?.failure else { return main(nil) }
        Console.warn(failure.text)
        Glibc.exit(failure.exit.rawValue)
    }

    /// The commands, and the one that the argument parser adds.
    private static var commandNames: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    }
}

/// The option that every command has.
struct SocketOption: ParsableArguments {
    @Option(
        name: .customLong("socket"),
        help: ArgumentHelp(
            "The daemon's socket; else $\(SocketLocation.variable), else \(SocketLocation.standard).",
            valueName: "path"
        )
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
