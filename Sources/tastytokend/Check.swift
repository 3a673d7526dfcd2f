// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Foundation
import TokenDaemon

/// `tastytokend check`: whether all is there that the daemon needs.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at configuration, database, endpoint, capacity and socket; a verdict a line.",
        discussion: """
            Changes nothing, asks nothing of the endpoint, and may be run beside a daemon. Run it as the daemon's user: \
            sudo -u tastytokend tastytokend check. While the unit runs its credentials are used. The status is 78 if any \
            verdict is "fail", else 0.
            """
    )

    @Option(help: "The configuration file. Default: /etc/tastytokend/config.yaml, if there is one.")
    var config: String?

    @Flag(help: "Print each verdict as a JSON object.")
    var json = false

    func run() async throws {
        let invocation = Invocation(configurationPath: config, environment: ProcessInfo.processInfo.environment)
        let verdicts = await SelfCheck(invocation).run()
        let lines = verdicts.map { (json ? $0.json : $0.description) + "\n" }.joined()
        try StandardStream.output(lines)
        if verdicts.contains(where: { $0.grade == .fail }) { throw ExitCode(78) }
    }
}
