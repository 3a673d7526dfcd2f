// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// How many grants are proved at a time, and how soon after one another.
@Suite struct ProofLedgerTests {
    private let now = Moment.newYear

    private func obstacle(_ ledger: inout ProofLedger, _ user: String, _ now: Moment) -> ProofLedger.Obstacle? {
        do throws(ProofLedger.Obstacle) {
            try ledger.begin(UserID(user), at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func oneOfAUserAtATime() {
        var ledger = ProofLedger()
        #expect(obstacle(&ledger, "1", now) == nil)
        #expect(obstacle(&ledger, "1", now) == .underWay)
        #expect(obstacle(&ledger, "2", now) == nil)
    }

    @Test func afterACallTheNextOneWaits() {
        var ledger = ProofLedger()
        _ = obstacle(&ledger, "1", now)
        ledger.ask(for: UserID("1"))
        ledger.end(UserID("1"), at: now)
        #expect(obstacle(&ledger, "1", now + .seconds(1)) == .tooSoon(.seconds(4)))
        #expect(obstacle(&ledger, "1", now + .seconds(5)) == nil)
    }

    @Test func whatMadeNoCallKeepsNobodyWaiting() {
        var ledger = ProofLedger()
        _ = obstacle(&ledger, "1", now)
        ledger.end(UserID("1"), at: now)
        #expect(obstacle(&ledger, "1", now) == nil)
    }

    @Test func noMoreThanSoManyAtATime() {
        var ledger = ProofLedger()
        for number in 0..<ProofLedger.mostAtOnce { #expect(obstacle(&ledger, "\(number)", now) == nil) }
        #expect(obstacle(&ledger, "more", now) == .tooMany)
        ledger.ask(for: UserID("0"))
        ledger.end(UserID("0"), at: now)
        #expect(obstacle(&ledger, "more", now) == nil)
    }

    @Test func manyRefusalsEndItForEverybodyForAWhile() {
        var ledger = ProofLedger()
        for second in 0..<ProofLedger.mostRefused { ledger.refused(at: now + .seconds(second)) }
        let end = now + .seconds(ProofLedger.mostRefused)
        #expect(obstacle(&ledger, "1", end) == .tooManyRefused(.seconds(60 - ProofLedger.mostRefused)))
        #expect(obstacle(&ledger, "1", now + .seconds(60)) == nil)
    }

    @Test func itIsIdleWhenTheLastOneEnded() {
        var ledger = ProofLedger()
        #expect(ledger.isIdle)
        _ = obstacle(&ledger, "1", now)
        _ = obstacle(&ledger, "2", now)
        ledger.end(UserID("1"), at: now)
        #expect(!ledger.isIdle)
        ledger.end(UserID("2"), at: now)
        #expect(ledger.isIdle)
    }
}

/// Answers that wait for the database.
@Suite struct UnstoredProofsTests {
    private let now = Moment.newYear
    private let user = UserID("42")

    private func answer(_ token: String) -> TokenAnswer {
        TokenAnswer(accessToken: Secret(token), life: TokenLife(sentAt: now, lifetime: .seconds(900)))
    }

    @Test func oneIsGivenOnceToWhoBringsTheSameGrantForTheSameClient() {
        var proofs = UnstoredProofs()
        proofs.keep(answer("a"), used: Secret("r"), for: user, client: "second", at: now)
        #expect(proofs.take(Secret("other"), for: user, client: "second", at: now) == nil)
        #expect(proofs.take(Secret("r"), for: user, client: nil, at: now) == nil)
        #expect(proofs.take(Secret("r"), for: UserID("7"), client: "second", at: now) == nil)
        #expect(proofs.take(Secret("r"), for: user, client: "second", at: now)?.accessToken == Secret("a"))
        #expect(proofs.take(Secret("r"), for: user, client: "second", at: now) == nil)
    }

    @Test func whatDiedIsDropped() {
        var proofs = UnstoredProofs()
        proofs.keep(answer("a"), used: Secret("r"), for: user, client: nil, at: now)
        #expect(proofs.take(Secret("r"), for: user, client: nil, at: now + .seconds(900)) == nil)
    }

    @Test func ofTooManyTheOldestGoes() {
        var proofs = UnstoredProofs()
        for number in 0...UnstoredProofs.most {
            proofs.keep(answer("a"), used: Secret("r"), for: UserID("\(number)"), client: nil, at: now)
        }
        #expect(proofs.take(Secret("r"), for: UserID("0"), client: nil, at: now) == nil)
        #expect(proofs.take(Secret("r"), for: UserID("1"), client: nil, at: now) != nil)
    }
}
