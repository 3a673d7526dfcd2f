// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser

/// Three daemons on one database behind a proxy, with everything going wrong around them, and a referee.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Run three daemons while everything goes wrong around them, and say what it cost.",
        discussion:
            "Fails if a grant was lost, a refresh made twice, a dead token handed out, or an account left without a "
            + "live token; docs/testing.md has the whole list."
    )

    @Option(help: "Repeats the disturbances of another run.")
    var seed: UInt64

    @Option(help: "How long there are disturbances.")
    var seconds = 120.0

    @Option(help: "How long a token lives, in seconds; claims hold a quarter of that.")
    var life = 20.0

    @Flag(help: "Let nothing decide that depends on how busy the machine is.")
    var lenient = false

    @Flag(inversion: .prefixedNo, exclusivity: .chooseLast, help: "Step the clocks of the daemons, too (libfaketime).")
    var clockSteps = false

    @Option(help: "Where to keep what the daemons said, if the run fails.")
    var keep: String?

    /// Runs it.
    func run() async throws {
        var settings = ChaosSettings(seed: seed, seconds: seconds)
        settings.life = life
        settings.claimFor = life / 4
        settings.timeout = life / 8
        settings.isLenient = lenient
        settings.stepsClocks = clockSteps
        let verdict = try await ChaosRun.run(settings, keepingIn: keep)
        for line in verdict.report { print(line) }
        guard !verdict.failures.isEmpty else { return print("chaos: seed \(seed): nothing was lost") }
        print("chaos: seed \(seed): failed")
        for failure in verdict.failures { print("  ✘ \(failure)") }
        throw ExitCode.failure
    }
}
