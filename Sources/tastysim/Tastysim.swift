// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import TokenSimulator

/// The stand-in for TastyTrade as a program; what it does lies in the library TokenSimulator.
@main
struct Tastysim: AsyncParsableCommand {
    /// The command's name, words and verbs.
    static let configuration = CommandConfiguration(
        commandName: "tastysim",
        abstract: "A stand-in for TastyTrade's sign-in page and token endpoint, for demos and tests.",
        discussion: """
            Secrets on this command line are fakes. A running simulator is controlled by HTTP requests to /_sim/ on its \
            own port: GET /_sim/counts, GET /_sim/requests, POST /_sim/faults, and others; docs/simulator.md has them all.

            \(FaultHelp.text)
            """,
        version: SimulatorVersion.current,
        subcommands: [Serve.self, Grant.self]
    )
}
