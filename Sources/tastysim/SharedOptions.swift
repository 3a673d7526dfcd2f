// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import FoundationEssentials
import TokenSimulator

/// What `serve` and `grant` must agree about, so that a grant is good at a simulator.
struct SharedOptions: ParsableArguments {
    /// The seed of the signing key.
    @Option(help: "Seed of the signing key; grants are good wherever the seed is the same. Also TASTYSIM_KEY_SEED.")
    var keySeed: String?

    /// The one OAuth client's id.
    @Option(help: "Client id; every grant belongs to it. Also TASTYSIM_CLIENT_ID.")
    var clientId: String?

    /// What tokens name as their issuer.
    @Option(help: "Issuer named in tokens.")
    var issuer = "https://api.tastytrade.com"

    /// A configuration with these options, the environment's, or the defaults.
    func configuration() -> SimulatorConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var configuration = SimulatorConfiguration(
            keySeed: keySeed ?? environment["TASTYSIM_KEY_SEED"] ?? "tastysim",
            randomSeed: UInt64.random(in: .min ... .max)
        )
        configuration.issuer = issuer
        if let id = clientId ?? environment["TASTYSIM_CLIENT_ID"] { configuration.client.id = id }
        return configuration
    }
}
