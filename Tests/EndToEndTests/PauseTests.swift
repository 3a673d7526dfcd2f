// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// A daemon that stands still while replies arrive, for longer than a call may take.
@Suite(.timeLimit(.minutes(3))) struct PauseTests {
    private static let accounts = 20
    private static let settings = [
        "REFRESH_CONNECT_TIMEOUT": "1s", "REFRESH_TIMEOUT": "6s", "REFRESH_CLAIM_FOR": "30s",
        "REFRESH_MAX_PER_SECOND": "1000",
    ]

    /// With a provider that takes the old refresh token for dead as soon as it gave a new one, a reply that is thrown away
    /// costs the grant.
    @Test func aReplyThatArrivedDuringAPauseIsRead() async throws {
        let accounts = Self.accounts
        try await Installation.with(accounts: accounts, lifetime: .seconds(20), settings: Self.settings) {
            installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            // The first round leaves connections behind, which calls of the second find wherever they are made.
            let daemon = try await installation.startReadyDaemon()
            try await eventually("everybody has a token") { installation.simulator.counts.count(.issued) >= accounts }
            // More than is taken out of the buffer in one go, and less than the longest reply that is read.
            installation.simulator.set(Fault(.huge(bytes: 60_000, .body), count: accounts))
            installation.simulator.set(Fault(.latency(.seconds(1) ... .seconds(1)), count: accounts))
            let before = installation.simulator.counts.requests
            try await eventually("many calls of the next round are under way") {
                installation.simulator.counts.requests >= before + accounts / 3
            }
            daemon.signal(SIGSTOP)
            // All that was asked is answered in that time, and every deadline is over.
            try await Task.sleep(for: .seconds(9))
            daemon.signal(SIGCONT)
            let answered = installation.simulator.counts.count(.issued)
            try await eventually("it goes on") { installation.simulator.counts.count(.issued) >= answered + accounts }
            #expect(installation.simulator.counts.grantsLost == 0)
            #expect(!daemon.errors.contains("before the deadline"))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
