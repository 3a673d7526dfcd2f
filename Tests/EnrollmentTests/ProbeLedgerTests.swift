// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import Enrollment

/// How seldom TastyTrade is asked for accounts (fact sheet section 11).
@Suite(.timeLimit(.minutes(1))) struct ProbeLedgerTests {
    private let users = (1...20).map { UserID("\($0)") }

    @Test func itIsAskedOnceASecondWhoeverWantsToKnow() throws {
        var ledger = ProbeLedger()
        let start = Moment.newYear
        try ledger.begin(users[0], at: start)
        #expect(throws: ProbeLedger.Obstacle(wait: .milliseconds(600))) {
            try ledger.begin(users[1], at: start + .milliseconds(400))
        }
        try ledger.begin(users[1], at: start + .seconds(1))
    }

    @Test func aboutOneAccountItIsAskedOneAtATimeAndEveryFiveSeconds() throws {
        var ledger = ProbeLedger()
        let start = Moment.newYear
        try ledger.begin(users[0], at: start)
        #expect(throws: ProbeLedger.Obstacle(wait: .seconds(5))) { try ledger.begin(users[0], at: start + .seconds(2)) }
        ledger.end(users[0], at: start + .seconds(3))
        #expect(throws: ProbeLedger.Obstacle(wait: .seconds(1))) { try ledger.begin(users[0], at: start + .seconds(7)) }
        try ledger.begin(users[0], at: start + .seconds(8))
    }

    @Test func fewAreAskedAtATime() throws {
        var ledger = ProbeLedger()
        var now = Moment.newYear
        for user in users.prefix(ProofLedger.mostAtOnce) {
            try ledger.begin(user, at: now)
            now = now + ProbeLedger.interval
        }
        #expect(throws: ProbeLedger.Obstacle.self) { try ledger.begin(users[19], at: now) }
        ledger.end(users[0], at: now)
        try ledger.begin(users[19], at: now)
    }

    /// Who asks too soon is told all but what TastyTrade says.
    @Test func aDiagnosisTooSoonLeavesTheQuestionOut() async throws {
        let fixture = DiagnosisFixture()
        let diagnoser = fixture.diagnoser()
        let first = try #require(await diagnoser.diagnose(DiagnosisFixture.user))
        let second = try #require(await diagnoser.diagnose(DiagnosisFixture.user))
        #expect(second.findings.dropLast() == first.findings.dropLast(2))
        #expect(second.findings.last?.code == "probe_left_out" && second.verdict == .ok)
        #expect(second.findings.last?.remedy?.contains("5 s") == true)
        fixture.clock.advance(by: .seconds(5))
        #expect(await diagnoser.diagnose(DiagnosisFixture.user) == first)
        #expect(fixture.endpoint.shown.count == 2)
    }
}
