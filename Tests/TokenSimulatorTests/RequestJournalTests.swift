// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct RequestJournalTests {
    private func record(_ account: String?, _ outcome: RequestOutcome = .issued, path: String = "/") -> RequestRecord {
        RequestRecord(
            receivedAt: SimulatorInstant(nanoseconds: 0),
            method: "POST",
            path: path,
            account: account,
            outcome: outcome,
            headers: [],
            fields: []
        )
    }

    @Test func callsOfOneAccountThatMeetAreCounted() {
        var journal = RequestJournal(capacity: 10)
        journal.begin(record("1"), isTokenRequest: true)
        journal.begin(record("2"), isTokenRequest: true)
        #expect(journal.counts.overlaps == 0)
        journal.begin(record("1"), isTokenRequest: true)
        #expect(journal.counts.overlaps == 1)
        #expect(journal.accounts["1"]?.overlaps == 1)
        #expect(journal.counts.peakInFlight == 3)
        for account in ["1", "1", "2"] { journal.end(account: account) }
        journal.begin(record("1"), isTokenRequest: true)
        #expect(journal.counts.overlaps == 1)
        #expect(journal.counts.inFlight == 1)
        #expect(journal.counts.peakInFlight == 3)
    }

    @Test func aLostReplyCountsAsIssuedToItsAccount() {
        var journal = RequestJournal(capacity: 10)
        for outcome in [RequestOutcome.issued, .resetAfter, .resetBefore, .invalidGrant] {
            journal.begin(record("1", outcome), isTokenRequest: true)
            journal.end(account: "1")
        }
        let counted = journal.counts(account: "1")
        #expect([counted.requests, counted.issued, counted.inFlight, counted.overlaps] == [4, 2, 0, 0])
        #expect(journal.counts.count(.resetAfter) == 1)
        #expect(journal.counts.count(.raw) == 0)
    }

    @Test func theListKeepsTheLastAndTheCountsKeepAll() {
        var journal = RequestJournal(capacity: 3)
        for number in 0..<8 { journal.begin(record(nil, path: "/\(number)"), isTokenRequest: false) }
        #expect(journal.requests.map(\.path) == ["/5", "/6", "/7"])
        #expect(journal.counts.requests == 8)
        #expect(journal.counts.tokenRequests == 0)
    }

    @Test func aListThatIsNotFullIsInOrder() {
        var journal = RequestJournal(capacity: 3)
        for number in 0..<2 { journal.begin(record(nil, path: "/\(number)"), isTokenRequest: false) }
        #expect(journal.requests.map(\.path) == ["/0", "/1"])
    }
}
