// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import NIOCore
import Synchronization

/// A stand-in for TastyTrade on a loopback port: the authorize page, the token endpoint, a route that tells whether an access
/// token is alive, and faults on demand. It signs tokens for whoever asks, and so listens on loopback alone.
package final class TokenSimulator: Sendable {
    /// Where it answers, without a slash at the end: fit for `tastytrade.apiUrl`.
    package let url: String
    /// The port.
    package let port: Int
    /// The authority's certificate for clients to trust; nil without TLS.
    package let authorityPEM: String?
    /// The key that its tokens are signed with, raw (RFC 8032).
    package var publicKey: [UInt8] { service.mint.publicKey }

    private let service: SimulatorService
    private let server: SimulatorServer

    private init(url: String, port: Int, authorityPEM: String?, service: SimulatorService, server: SimulatorServer) {
        self.url = url
        self.port = port
        self.authorityPEM = authorityPEM
        self.service = service
        self.server = server
    }

    /// Starts a simulator; it answers when this returns. ``stop()`` must be called before it is let go.
    package static func start(
        _ configuration: SimulatorConfiguration,
        clock: @escaping SimulatorClock
    ) async throws -> TokenSimulator {
        try requireLoopback(configuration.host)
        let certificates = configuration.usesTLS ? try SimulatorCertificates(now: clock()) : nil
        if let certificates, let file = configuration.caFile {
            try Data(certificates.authorityPEM.utf8).write(to: URL(filePath: file), options: .atomic)
        }
        let service = try SimulatorService(configuration, clock: clock)
        let tls = try certificates.map { try SimulatorTLS($0) }
        let server = try await SimulatorServer.start(configuration, service: service, tls: tls)
        service.downSwitch.withLock { $0 = { [weak server] time in Task { try await server?.goDown(for: time) } } }
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return TokenSimulator(
            url: "\(configuration.usesTLS ? "https" : "http")://\(host):\(server.port)",
            port: server.port,
            authorityPEM: certificates?.authorityPEM,
            service: service,
            server: server
        )
    }

    /// Ends all connections with RST, and everything else.
    package func stop() async throws {
        try await server.stop()
    }

    /// Refuses connections from now on, and ends those there are with RST.
    package func goDown() async throws { try await server.goDown() }

    /// Listens again at the same port.
    package func comeBack() async throws { try await server.comeBack() }

    private static func requireLoopback(_ host: String) throws(SimulatorFailure) {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        guard isIPv4 || host == "::1" || host == "localhost" else {
            throw SimulatorFailure("\(host) is no loopback address, and the simulator listens on no other")
        }
    }
}

extension TokenSimulator {
    /// A new grant for a user: a refresh token that this simulator, and any other with its seed, takes. It is for the first
    /// client, and allows all that the client may, unless told otherwise.
    package func makeGrant(for user: String, client id: String? = nil, scope: String? = nil) throws -> String {
        try service.makeGrant(for: user, client: id, scope: scope)
    }

    /// Registers a client, or changes the one that has its id; `killingGrants` revokes those that it has now, as TastyTrade
    /// does when a secret is made anew.
    package func register(_ client: SimulatedClient, killingGrants: Bool = false) throws(SimulatorFailure) {
        try service.register(client, killingGrants: killingGrants)
    }

    /// Revokes every grant that the user has now; a grant made later is good.
    package func revokeGrants(of user: String) { service.revokeGrants(of: user) }

    /// Revokes one grant; false if the refresh token is none of ours.
    @discardableResult
    package func revoke(refreshToken: String) -> Bool { service.revoke(refreshToken: refreshToken) }

    /// Makes the user's grants good again.
    package func restoreGrants(of user: String) { service.restoreGrants(of: user) }

    /// Sets a fault beside those that are set.
    package func set(_ fault: Fault, for scope: FaultScope = .all) { service.set(fault, for: scope) }

    /// Clears the faults of one scope, or all there are; held answers go out.
    package func clearFaults(_ scope: FaultScope? = nil) { service.clearFaults(scope) }

    /// Lets all held answers go out.
    package func releaseHeld() { service.releaseHeld() }

    /// How many requests there were, and how they came.
    package var counts: SimulatorCounts { service.update { $0.journal.counts } }

    /// How many requests one account made.
    package func counts(of account: String) -> AccountCounts {
        service.update { $0.journal.counts(account: account) }
    }

    /// How many requests one grant made, by any of its refresh tokens; nil if that is none of ours.
    package func counts(ofGrant refreshToken: String) -> AccountCounts? {
        guard let grant = service.grant(of: refreshToken) else { return nil }
        return service.update { $0.journal.counts(grantID: grant.grant_id) }
    }

    /// The counts of every account that made a token request.
    package var accountCounts: [String: AccountCounts] { service.update { $0.journal.accounts } }

    /// Whether a refresh token would be taken now: it is ours, was not exchanged for a new one, and its grant lives.
    package func isGood(refreshToken: String) -> Bool {
        guard let grant = service.grant(of: refreshToken) else { return false }
        return service.update { $0.ledger.isGood(grant) }
    }

    /// The last requests, oldest first.
    package var requests: [RequestRecord] { service.update { $0.journal.requests } }

    /// Whose access token it is, while it lives; nil if it is dead or not ours.
    package func user(ofLiveToken accessToken: String) -> String? {
        service.liveToken(accessToken, at: service.now)?.sub
    }

    /// What an access token says, dead or alive; nil if it is not ours.
    package func facts(ofToken accessToken: String) -> TokenFacts? {
        service.mint.accessClaims(of: accessToken).map { TokenFacts(user: $0.sub, id: $0.jti, expiresAt: $0.expiresAt) }
    }

    /// Waits until the counts are as asked, for that long at most; nil when the time is over.
    package func counts(
        within time: Duration,
        until predicate: @escaping @Sendable (SimulatorCounts) -> Bool
    ) async -> SimulatorCounts? {
        await withCheckedContinuation { continuation in
            let number = service.watch(CountsWatcher(predicate: predicate, continuation: continuation))
            let service = self.service
            server.eventLoop.scheduleTask(in: .nanoseconds(time.nanoseconds)) { service.giveUp(number) }
        }
    }
}

/// What an access token says of itself.
package struct TokenFacts: Hashable, Sendable {
    /// Whose it is.
    package let user: String
    /// Its id (`jti`), which no other has.
    package let id: String
    /// When it dies by itself.
    package let expiresAt: SimulatorInstant
}
