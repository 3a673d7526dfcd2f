// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// `tastytoken exec USER -- CMD…`: the command with a token and its API's address in its environment, where no process list
/// shows them.
struct ExecCommand: ParsableCommand {
    /// Where the command finds the token.
    static let variable = "TASTYTRADE_ACCESS_TOKEN"
    /// Where the command finds the base of the API that takes it.
    static let addressVariable = "TASTYTRADE_API_URL"

    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command with a live access token in \(variable), and the API's address in \(addressVariable).",
        usage: "tastytoken exec [--min-ttl <seconds>] [--max-wait <seconds>] [--socket <path>] <user> -- <command> ...",
        discussion: """
            The command takes the place of tastytoken: signals reach it, and its exit status is its own; 126 if it cannot \
            be run, 127 if there is none of that name, any other status of tastytoken's own if there is no token. The \
            token dies within minutes and is not replaced in a command that runs for longer: such a one asks for itself, \
            or reads tastytoken watch.

            EXAMPLES
              tastytoken exec 42 -- ./close-positions --dry-run
              tastytoken exec --min-ttl 300 42 -- sh -c 'python3 bot.py > bot.log'
              tastytoken exec 42 -- sh -c 'tastytoken header 42 | curl -H @- "$\(addressVariable)/customers/me/accounts"'

            \(addressVariable) is the address for which the token was made, https://api.tastyworks.com or the sandbox's, \
            whatever it was before.
            """
    )

    @OptionGroup var subject: UserArgument
    @Argument(parsing: .postTerminator, help: "The command and its arguments.")
    var command: [String] = []
    @OptionGroup var wish: TokenWish
    @OptionGroup var socket: SocketOption

    func validate() throws {
        if command.isEmpty {
            throw ValidationError("The command is missing: put it behind --, as in tastytoken exec 42 -- env.")
        }
    }

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let answer = try wish.request(for: subject.user, by: socket.client).answer()
            setenv(Self.variable, try answer.presentableToken(), 1)
            setenv(Self.addressVariable, try answer.presentableAPIURL(), 1)
        }
        let failure = Self.replaceProcess(with: command)
        Console.warn("cannot run \(Failure.shown(command[0])): \(String(cString: strerror(failure)))")
        throw ExitCode(failure == ENOENT ? 127 : 126)
    }

    /// Runs the command in place of this process, found as shells find it; comes back only to say why not, as `errno`.
    private static func replaceProcess(with command: [String]) -> Int32 {
        let words = command.map { strdup($0) }
        defer { words.forEach { free($0) } }
        // The command was looked at; without one there is nothing to be found either.
        guard let name = words.first ?? nil else { return ENOENT }
        execvp(name, words + [nil])
        return errno
    }
}
