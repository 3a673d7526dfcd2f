// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Foundation
import TokenDaemon

/// `tastytokend migrate`: the daemon's own schema, and the trigger on the application's table.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make or update schema tastytokend and the trigger on the application's table.",
        discussion: """
            The trigger makes changed rows act within a second. It never fails the application's writes. All happens in \
            one transaction that gives up rather than hold up the application: behind a long transaction on the table \
            it ends with status 75 and has changed nothing.
            """
    )

    @Option(help: "The configuration file. Default: /etc/tastytokend/config.yaml, if there is one.")
    var config: String?

    @Flag(name: .customLong("print"), help: "Change nothing; print what would be run, as a script for psql.")
    var prints = false

    @Flag(help: "Remove the schema and the trigger.")
    var remove = false

    func validate() throws {
        guard !prints || !remove else { throw ValidationError("--print and --remove cannot be combined.") }
    }

    func run() async throws {
        let invocation = Invocation(configurationPath: config, environment: ProcessInfo.processInfo.environment)
        do {
            let text = try await DatabaseMigration(invocation).run(remove ? .remove : prints ? .print : .apply)
            try StandardStream.output(text)
        } catch let failure as DaemonFailure {
            StandardStream.complain(failure.lastWords(environment: ProcessInfo.processInfo.environment))
            throw ExitCode(failure.exitStatus)
        }
    }
}
