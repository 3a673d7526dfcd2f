// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import FoundationEssentials
import TokenSimulator

/// What `serve` and `grant` must agree about, so that a grant is good at a simulator; and what a grant allows.
struct SharedOptions: ParsableArguments {
    /// The seed of the signing key.
    @Option(help: "Seed of the signing key; grants are good wherever the seed is the same. Also TASTYSIM_KEY_SEED.")
    var keySeed: String?

    /// The first OAuth client's id.
    @Option(help: "Client id; grants belong to it unless told otherwise. Also TASTYSIM_CLIENT_ID.")
    var clientId: String?

    /// What the first client's grants allow.
    @Option(help: "What the client may ask for and grants allow, separated by spaces.", transform: Self.scope)
    var scope: String = SimulatedClient().scope

    /// Which of TastyTrade's worlds it is.
    @Option(help: "Which TastyTrade it stands in for: production or sandbox.", transform: Self.environment)
    var environment: SimulatedEnvironment = .production

    /// What tokens name as their issuer.
    @Option(help: "Issuer named in tokens; the environment's own without it.")
    var issuer: String?

    /// A configuration with these options, the environment's, or the defaults.
    func configuration() -> SimulatorConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var configuration = SimulatorConfiguration(
            keySeed: keySeed ?? environment["TASTYSIM_KEY_SEED"] ?? "tastysim",
            randomSeed: UInt64.random(in: .min ... .max)
        )
        configuration.environment = self.environment
        configuration.namedIssuer = issuer
        configuration.client.scope = scope
        if let id = clientId ?? environment["TASTYSIM_CLIENT_ID"] { configuration.client.id = id }
        return configuration
    }

    private static func scope(_ text: String) throws -> String {
        do {
            try ScopeText.check(text)
            return text
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func environment(_ text: String) throws -> SimulatedEnvironment {
        guard let environment = SimulatedEnvironment(rawValue: text) else {
            throw ValidationError("'\(text)' is neither production nor sandbox")
        }
        return environment
    }
}
