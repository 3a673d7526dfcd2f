// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// An endpoint that is away for longer than any token lives, and ten thousand accounts that come back from it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RecoveryTests {
    private static let accounts = 10_000
    private static let perSecond = 500
    private static let inFlight = 64
    /// The tokens in the table die one after the other, within this time from the start, and all while the endpoint is
    /// away.
    private static let dying = 4.0...14.0
    private static let outage = 40.0
    /// Long enough that none is refreshed again before all have recovered, were it at a tenth of the rate.
    private static let lifetime = 300.0

    @Test func h13TenThousandAccountsComeBackInTheOrderInWhichTheirTokensDied() async throws {
        let settings = [
            "REFRESH_MAX_PER_SECOND": "\(Self.perSecond)", "REFRESH_MAX_IN_FLIGHT": "\(Self.inFlight)",
            "REFRESH_BACKOFF_MAX": "4s", "LOG_LEVEL": "error",
        ]
        let lifetime = Duration.seconds(Self.lifetime)
        try await Installation.with(accounts: Self.accounts, lifetime: lifetime, settings: settings) {
            $0.keptRequests = 200_000
        } _: { installation in
            installation.simulator.set(Fault(.outage(.unavailable)))
            try await seed(installation)
            let daemon = try await installation.startReadyDaemon()
            try await everybodyIsWithout(installation)
            try await Task.sleep(for: .seconds(Self.outage - Self.dying.upperBound))
            let failed = installation.simulator.counts.tokenRequests
            #expect(failed > 0)

            installation.simulator.clearFaults()
            let began = Date()
            // Decided by lives: the first of the new tokens must not die before the last account has one.
            let recovered = await installation.simulator.counts(within: .seconds(Self.lifetime)) {
                $0.count(.issued) >= Self.accounts
            }
            let took = -began.timeIntervalSinceNow
            let counts = try #require(recovered, "not all recovered within a life")
            try await everybodyIsServed(installation)
            expectOrder(installation)
            #expect(counts.overlaps == 0)
            // What was begun evenly may be held up on its way and arrive in a bunch: no more than is in flight.
            let bunch = Self.inFlight + Self.perSecond / 100
            #expect(counts.peakPerSecond <= Self.perSecond + bunch)
            #expect(counts.peakPerTenSeconds <= Self.perSecond * 10 + bunch)
            #expect(try await installation.stop(daemon).status == 0)
            print(
                "recovery: \(Self.accounts) accounts in \(took) s at \(Self.perSecond)/s; at most",
                "\(counts.peakPerSecond) in a second, \(counts.peakPerTenSeconds) in ten; \(failed) failed before"
            )
        }
    }

    /// Live tokens, each with its own end: the higher the id, the later.
    private func seed(_ installation: Installation) async throws {
        let span = Self.dying.upperBound - Self.dying.lowerBound
        try await installation.postgres.execute(
            """
            UPDATE users SET tastytrade_oauth_token = 'seeded-' || id, tastytrade_oauth_expires_at =
                (now() AT TIME ZONE 'UTC') + interval '1 second' * (\(Self.dying.lowerBound) + \(span) * id / \(Self.accounts))
            """
        )
    }

    private func everybodyIsWithout(_ installation: Installation) async throws {
        let last = "/v1/users/\(Self.accounts)/token?max_wait=0&min_ttl=0"
        try await eventually("the last token is dead") {
            try SocketProbe.get(last, at: installation.socket).status == 503
        }
    }

    private func everybodyIsServed(_ installation: Installation) async throws {
        let socket = installation.socket
        try await eventually("the last ones are stored and published") {
            try await onThread {
                var probe = try SocketProbe(at: socket)
                return try stride(from: 1, to: Self.accounts, by: 1000).allSatisfy { first in
                    let paths = (first..<first + 1000).map { "/v1/users/\($0)/token?max_wait=0&min_ttl=0" }
                    return try probe.get(paths).allSatisfy { $0.status == 200 }
                }
            }
        }
    }

    /// Who was backing off when the endpoint came back joins the line late; the others stand in it by the end of their
    /// tokens. So the order is not perfect, and far from chance.
    private func expectOrder(_ installation: Installation) {
        var seen: Set<Int> = []
        let order = installation.simulator.requests.filter { $0.outcome == .issued }
            .compactMap { $0.account.flatMap { Int($0) } }.filter { seen.insert($0).inserted }
        #expect(order.count == Self.accounts)
        let displacement = order.enumerated().map { abs($0.offset + 1 - $0.element) }.reduce(0, +)
        let mean = Double(displacement) / Double(Self.accounts)
        print(
            "recovery: a place in the order is \(mean) from that of its expiry on average; by chance \(Self.accounts / 3)"
        )
        #expect(mean < Double(Self.accounts) / 10)
    }
}
