// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How a simulator behaves from its start.
package struct SimulatorConfiguration: Sendable {
    /// The loopback address to listen on.
    package var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    package var port = 0
    /// Whether it speaks TLS, with an authority of its own.
    package var usesTLS = true
    /// Where to write the authority's certificate (PEM), for clients to trust.
    package var caFile: String?
    /// The OAuth client that grants are for unless told otherwise.
    package var client = SimulatedClient()
    /// Other OAuth clients.
    package var otherClients: [SimulatedClient] = []
    /// Which of TastyTrade's worlds it stands in for.
    package var environment = SimulatedEnvironment.production
    /// `iss` of its tokens, where it is not the environment's own.
    package var namedIssuer: String?
    /// The seed of the signing key: grants made under one seed are good at every simulator with that seed.
    package var keySeed: String
    /// The seed of everything that is drawn: token ids, latencies, what a flaky endpoint does.
    package var randomSeed: UInt64
    /// How long an access token lives.
    package var lifetime: Duration = .seconds(900)
    /// How long a code of the authorize page can be exchanged.
    package var codeLifetime: Duration = .seconds(60)
    /// Faults that are set from the start, for all accounts.
    package var faults: [Fault] = []
    /// Faults that are set from the start for one account each, by the account.
    package var accountFaults: [String: [Fault]] = [:]
    /// How many threads serve; one is enough for ten thousand refreshes a second.
    package var eventLoops = 1
    /// How many of the last requests are kept to be shown; the counts are exact however many there were.
    package var keptRequests = 1000
    /// How many connections there may be; the next one is reset.
    package var maximumConnections = 4096

    /// Takes the seeds; everything else is set afterwards.
    package init(keySeed: String, randomSeed: UInt64) {
        self.keySeed = keySeed
        self.randomSeed = randomSeed
    }

    /// `iss` of its tokens.
    package var issuer: String { namedIssuer ?? environment.issuer }

    /// All its clients, each with an id of its own.
    func clients() throws(SimulatorFailure) -> ClientRegister {
        for client in [client] + otherClients { try client.check() }
        guard Set(otherClients.map(\.id) + [client.id]).count == otherClients.count + 1 else {
            throw SimulatorFailure("two clients have the same id")
        }
        return ClientRegister(client, otherClients)
    }
}

/// The simulator could not be started, or was asked for something that it does not do; the words say what.
package struct SimulatorFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong with what.
    package let description: String

    /// Takes the words.
    package init(_ description: String) {
        self.description = description
    }
}
