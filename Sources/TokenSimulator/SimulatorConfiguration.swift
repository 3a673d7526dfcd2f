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
    /// The one OAuth client that it knows.
    package var client = SimulatedClient()
    /// `iss` of its tokens (fact sheet section 5).
    package var issuer = "https://api.tastytrade.com"
    /// The seed of the signing key: grants made under one seed are good at every simulator with that seed.
    package var keySeed: String
    /// The seed of everything that is drawn: token ids, latencies, what a flaky endpoint does.
    package var randomSeed: UInt64
    /// How long an access token lives.
    package var lifetime: Duration = .seconds(900)
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
}

/// An OAuth client as the simulator knows it. The default values are fakes, shaped like real ones (fact sheet section 2).
package struct SimulatedClient: Hashable, Sendable {
    /// `client_id`, and `aud` of the grants.
    package var id = "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001"
    /// `client_secret`.
    package var secret = "7a57e5ec4e7000000000000000000000000fake1"
    /// What grants allow.
    package var scope = "read trade openid"

    /// A client with the fake values.
    package init() {}
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
