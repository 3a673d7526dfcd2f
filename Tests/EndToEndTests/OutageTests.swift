// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing
import TokenSimulator

/// Many accounts over several lives of their tokens, and an endpoint that goes away for longer than a token lives.
@Suite(.serialized, .timeLimit(.minutes(6))) struct OutageTests {
    private static let lifetime = 20.0
    private static let outage = 22.0

    /// One look at an account: when, and whether a live token was to be had.
    private struct Watch {
        private(set) var looks = 0
        private(set) var lapses: [Int: (from: Double, to: Double)] = [:]

        /// Asks for every token at once, without waiting, and notes who has none.
        mutating func look(_ probe: inout SocketProbe, _ paths: [String], at time: Double) throws {
            looks += 1
            for (index, reply) in try probe.get(paths).enumerated() where reply.status != 200 {
                lapses[index + 1] = (lapses[index + 1]?.from ?? time, time)
            }
        }
    }

    @Test func h12AThousandAccountsLoseNoMoreThanTheOutageTakes() async throws {
        let settings = [
            "REFRESH_MAX_PER_SECOND": "2000", "REFRESH_BACKOFF_MAX": "1s", "REFRESH_BACKOFF_INITIAL": "200ms",
        ]
        try await Installation.with(accounts: 1000, lifetime: .seconds(Self.lifetime), settings: settings) {
            installation in
            let daemon = try await installation.startReadyDaemon()
            let paths = (1...1000).map { "/v1/users/\($0)/token?max_wait=0&min_ttl=0" }
            try await eventually("everybody has a token") {
                var probe = try SocketProbe(at: installation.socket)
                return try probe.get(paths).allSatisfy { $0.status == 200 }
            }
            let healthy = try await watch(installation, paths, for: 3 * Self.lifetime)
            #expect(healthy.lapses.isEmpty, "\(healthy.lapses.count) accounts were without a token")
            #expect(installation.simulator.counts.count(.issued) >= 4000)

            installation.simulator.set(Fault(.outage(.reset), duration: .seconds(Self.outage)))
            let away = try await watch(installation, paths, for: Self.outage + 8)
            let longest = away.lapses.values.map { $0.to - $0.from }.max() ?? 0
            #expect(!away.lapses.isEmpty, "an outage longer than a life is felt")
            // Each token had three tenths of its life left when the outage began. That is more than backoff and rate take
            // afterwards, so nobody is without a token for longer than the outage.
            #expect(longest <= Self.outage, "an account was without a token for \(longest) s")

            let recovered = try await watch(installation, paths, for: Self.lifetime)
            #expect(recovered.lapses.isEmpty, "\(recovered.lapses.count) accounts did not recover")
            #expect(installation.simulator.counts.overlaps == 0, "no account is ever refreshed twice at once")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    private func watch(_ installation: Installation, _ paths: [String], for seconds: Double) async throws -> Watch {
        let socket = installation.socket
        return try await onThread {
            var probe = try SocketProbe(at: socket)
            var watch = Watch()
            let start = Date()
            while -start.timeIntervalSinceNow < seconds {
                try watch.look(&probe, paths, at: -start.timeIntervalSinceNow)
                Thread.sleep(forTimeInterval: 0.2)
            }
            return watch
        }
    }
}
