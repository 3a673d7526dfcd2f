// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import SocketServer
import Testing

@testable import TokenDaemon

@Suite struct StatementDeadlineTests {
    @Test(arguments: [("90s", 10_000), ("40s", 10_000), ("10s", 2500), ("3s", 1000)])
    func aStatementThatIsNotAnsweredLeavesTimeForAnotherWhileTheClaimHolds(_ claim: String, _ deadline: Int) throws {
        let yaml = "refresh:\n  claimFor: \(claim)\n  timeout: 1s\n  connectTimeout: 1s\n"
        let configuration = try ConfigurationFixture(yaml).load().configuration
        let store = StoreConfiguration(configuration, owner: "a", .asTheyStand)
        #expect(store.statementDeadline == .milliseconds(deadline))
    }

    /// Two calls of TastyTrade, and the database before and after them: whoever asked is told what came of it, and not that it goes on.
    @Test(arguments: [("30s", "90s", 30, 15_000), ("45s", "90s", 45, 15_000), ("1s", "4s", 1, 6000)])
    func whoConnectsAnAccountIsWaitedForAsLongAsItMayTake(
        _ timeout: String,
        _ claim: String,
        _ call: Int,
        _ statement: Int
    ) throws {
        let yaml = "refresh:\n  claimFor: \(claim)\n  timeout: \(timeout)\n  connectTimeout: 1s\n"
        let configuration = try ConfigurationFixture(yaml).load().configuration
        let store = StoreConfiguration(configuration, owner: "a", .asTheyStand)
        var limits = SocketLimits()
        limits.allowEnrollment(forCalls: .seconds(call), .milliseconds(statement))
        #expect(SocketLimits(configuration.refresh, store) == limits)
        // Few descriptors change nothing about it.
        #expect(DescriptorBudget(limit: 64, calls: 64, usual: limits).limits.enrollment == limits.enrollment)
    }
}
