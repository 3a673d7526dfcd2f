// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken doctor [USER]`: what is wrong with an account, or with the daemon, and what mends it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what is wrong with the account of a user, or with the daemon, and what mends it.",
        discussion: """
            A verdict a line: ok, note, warn or fail, what was looked at, what was found, and what mends it. Of an account its row, \
            its tokens and its OAuth client are looked at first, which asks nobody; then TastyTrade is asked once for the list of \
            accounts with the live access token. Without USER: the daemon, its database, the accounts in trouble, and the clients. \
            Nothing is changed. The status is 0 unless something is wrong, 78 if that takes a person, 75 if it may pass.

            EXAMPLES
              tastytoken doctor 42
              tastytoken doctor
              tastytoken doctor 42 --json | jq -r '.findings[] | select(.severity == "fail").code'
            """
    )

    /// Seconds that a diagnosis may take: longer than the daemon itself waits.
    private static let patience = 50

    @Argument(help: "The user's id, as in the id column of the user table; without it, the daemon is looked at.")
    var user: String?
    @Flag(help: "Print JSON: the reply; without USER, a verdict a line.")
    var json = false
    @OptionGroup var socket: SocketOption

    func validate() throws {
        if user?.isEmpty == true { throw ValidationError("USER must not be empty.") }
    }

    func run() throws {
        let exit = try Console.carryingOut { () throws(Failure) -> ToolExit in
            guard let user else { return printHouse(HouseCall(socket.client)) }
            let request = SocketRequest(method: .post, target: APIPath.diagnosis(of: user))
            let reply = try socket.client.ask(request, within: Self.patience)
            let diagnosis = try reply.decoded(DiagnosisReply.self, of: user)
            let lines = diagnosis.findings.map { VerdictLine($0).text(inColour: Console.isColourful) }
            Console.print(json ? RawJSON(reply.body[...]).line : lines.joined(separator: "\n"))
            return VerdictLine.exit(isFailing: diagnosis.verdict == "fail", needsAPerson: diagnosis.needsAPerson)
        }
        if exit != .done { throw ExitCode(exit.rawValue) }
    }

    private func printHouse(_ call: HouseCall) -> ToolExit {
        let (lines, exit) = call.make()
        for line in lines { Console.print(json ? line.json : line.text(inColour: Console.isColourful)) }
        return exit
    }
}
