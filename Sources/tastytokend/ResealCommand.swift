// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Foundation
import Synchronization
import TokenDaemon

/// `tastytokend reseal`: what is stored, sealed by the key that seals now.
struct ResealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reseal",
        abstract: "Seal what stands in clear, or under older keys, by the key that seals now.",
        discussion: """
            For use beside running daemons and the application: a row is claimed as for a refresh, and written only if it \
            still holds what was read; no account is refreshed for it. Reload every daemon with the new key first. It may be \
            stopped and run again at any time. What cannot be opened is left as it is. In the end it counts by key, and says \
            which keys can be removed.

            The status is 0 if all is sealed, 75 if rows were in use to the end or were written meanwhile (run it again), 65 if there are values that a \
            person must see to, 78 if the configuration is wrong, 69 if the database is away.
            """
    )

    @Option(help: "The configuration file. Default: /etc/tastytokend/config.yaml, if there is one.")
    var config: String?

    @Flag(help: "Change nothing; count by key, and say how many rows would be sealed anew.")
    var dryRun = false

    @Option(help: ArgumentHelp("The most rows to write in a second.", valueName: "rows"))
    var rate = 500

    @Option(help: ArgumentHelp("How long to come back to rows that are in use.", valueName: "seconds"))
    var wait = 300

    @Flag(help: "Do it although daemons, or the application, seem to have other settings.")
    var anyway = false

    @Flag(help: "Print the report as a JSON object.")
    var json = false

    @Flag(help: "Say nothing of the progress.")
    var quiet = false

    func validate() throws {
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate is from 1 to 100000.") }
        guard (0...86_400).contains(wait) else { throw ValidationError("--wait is from 0 to 86400.") }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        var options = Reseal.Options()
        (options.isDryRun, options.isForced) = (dryRun, anyway)
        (options.rate, options.patience) = (Double(rate), .seconds(wait))
        let meter = quiet ? nil : ProgressMeter()
        do {
            let reseal = Reseal(Invocation(configurationPath: config, environment: environment), options)
            let report = try await reseal.run { meter?.show($0) }
            let text = (json ? [report.json] : report.lines).map { $0 + "\n" }.joined()
            try StandardStream.output(text)
            if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
        } catch let failure as DaemonFailure {
            StandardStream.complain(failure.lastWords(environment: environment))
            throw ExitCode(failure.exitStatus)
        }
    }
}

/// Says how far a run is, on standard error, every two seconds at most, and whenever it does something else.
private final class ProgressMeter: Sendable {
    private static let interval: Duration = .seconds(2)

    private let last = Mutex<(at: ContinuousClock.Instant, stage: ResealProgress.Stage)?>(nil)

    func show(_ progress: ResealProgress) {
        let now = ContinuousClock.now
        let isNews = last.withLock { last in
            if let last, last.stage == progress.stage, now - last.at < Self.interval { return false }
            last = (now, progress.stage)
            return true
        }
        if isNews { StandardStream.complain("\(progress)\n") }
    }
}
