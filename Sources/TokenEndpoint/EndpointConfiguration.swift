// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How the daemon calls the token endpoint: deadlines, bounds and trust. Which host it calls is the client's affair
/// (``TokenCore/ClientRegistration``).
package struct EndpointConfiguration: Sendable {
    /// The product's version, for `User-Agent: tastytokend/<version>`; without a version the endpoint answers 401 (fact
    /// sheet section 7).
    package var version: String
    /// How long a connection may take to be made, TLS included, and a call may wait for one (`refresh.connectTimeout`).
    package var connectTimeout: Duration = .seconds(5)
    /// How long a whole call may take, the reply's last byte included (`refresh.timeout`).
    package var timeout: Duration = .seconds(30)
    /// How long a look at the accounts may take, if that is less: a person waits for it, and nothing is lost with its reply.
    package var probeTimeout: Duration = .seconds(10)
    /// How many connections to one host there may be (`refresh.maxInFlight`, for all its clients together).
    package var maxConnections = 64
    /// How long a connection without a call is kept. Shorter than what gateways keep (60 s and more), so that it is us
    /// who close: a request sent on a connection that the other side is closing has an unknown outcome.
    package var idleTimeout: Duration = .seconds(15)
    /// How many calls a connection is used for; after these the host's name is looked up again.
    package var usesPerConnection = 100
    /// The longest reply that is read, in bytes; a token reply has about 1 KB.
    package var replyLimit = 65_536
    /// A PEM file of the authorities to trust instead of the system's (`tastytrade.caFile`).
    package var caFile: String?
    /// What `expires_in` is clamped to.
    package var lifetimeBounds: ClosedRange<Duration> = .seconds(1) ... .seconds(86_400)

    /// Takes the version; everything else is at the contract's default until set.
    package init(version: String) {
        self.version = version
    }
}

/// The client could not be made: a fault of the configuration, for a person to mend.
package struct EndpointSetupFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with what, in words.
    package let description: String
}
