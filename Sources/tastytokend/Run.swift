// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Foundation
import TokenDaemon

/// `tastytokend run`: the service itself, in the foreground, as service managers want it.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service in the foreground until SIGTERM or SIGINT.",
        discussion: """
            Everything is configured by a YAML file and by the environment, which wins; config/config.yaml shows every \
            key. A secret on the command line is not accepted.
            """
    )

    @Option(help: "The configuration file. Default: /etc/tastytokend/config.yaml, if there is one.")
    var config: String?

    func run() async throws {
        let invocation = Invocation(configurationPath: config, environment: ProcessInfo.processInfo.environment)
        do {
            try await DaemonStart(invocation).run()
        } catch {
            let words = error.lastWords(environment: ProcessInfo.processInfo.environment)
            StandardStream.complain(words)
            throw ExitCode(error.exitStatus)
        }
    }
}
