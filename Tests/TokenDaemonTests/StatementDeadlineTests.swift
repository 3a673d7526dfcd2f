// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
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
}
