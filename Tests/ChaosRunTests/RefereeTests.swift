// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import chaos

/// Accounts 3, 4 and 5 have a strict provider, one with grace, and one that never replaces a refresh token.
@Suite struct RefereeTests {
    private let settings = ChaosSettings(seed: 1, seconds: 60)
    private let strict = 3
    private let grace = 4
    private let plain = 5

    private func call(_ at: Double, by daemon: Int, of account: Int, token: String? = nil) -> Evidence.Call {
        Evidence.Call(at: at, daemon: daemon, account: account, token: token)
    }

    private func kill(_ at: Double, by daemon: Int, of account: Int) -> Evidence.Call {
        Evidence.Call(at: at, daemon: daemon, account: account, gaveToken: false, isReuse: true, killsGrant: true)
    }

    private func down(_ daemon: Int, _ from: Double, _ to: Double) -> Evidence.Downtime {
        Evidence.Downtime(daemon: daemon, isKill: true, span: Span(from: from, to: to))
    }

    private func judge(_ fill: (inout Evidence) -> Void) -> Verdict {
        var evidence = Evidence()
        fill(&evidence)
        return Referee.judge(evidence, settings)
    }

    @Test func anOrdinaryRunHasNothingToSay() {
        let verdict = judge { evidence in
            evidence.calls = [10.0, 22, 34].map { call($0, by: 0, of: strict) }
        }
        #expect(verdict.failures == [])
        #expect(verdict.calls == 3)
    }

    /// A token of 10 s is followed by one whose daemon is stopped before it is stored, another takes over as the first is about to die,
    /// and the next refresh is due by the answer that counted.
    @Test(arguments: [(["a", "b"], 0), (["a", "b", "c"], 1), (["a", "c"], 1)] as [(Set<String>, Int)])
    func whatIsDroppedWhenTheFirstOneComesBackDoesNotCountForWhatFollows(_ seen: Set<String>, _ twice: Int) {
        let verdict = judge { evidence in
            evidence.calls = [
                call(10, by: 0, of: grace, token: "a"), call(22, by: 2, of: grace, token: "b"),
                call(28.1, by: 1, of: grace, token: "c"), call(34.2, by: 0, of: grace, token: "d"),
            ]
            evidence.downtimes = [
                Evidence.Downtime(daemon: 2, isKill: false, span: Span(from: 22.05, to: 28.2))
            ]
            evidence.seen = seen.union(["d"])
        }
        #expect(verdict.refreshedTwice == twice, "\(verdict.failures)")
        #expect(verdict.repetitions.count == 1, "the takeover is explained")
    }

    // MARK: Grants

    @Test func aGrantThatIsKilledForNoReasonIsLost() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict, token: "a"), kill(22, by: 1, of: strict)]
            evidence.seen = ["a"]
            evidence.endings = [Evidence.Ending(at: 23, account: strict, status: "unknown_outcome")]
        }
        #expect(verdict.grantsLost == 1)
        #expect(verdict.failures.count == 1)
    }

    @Test(arguments: [("unknown_outcome", 0), ("reauthorization_required", 1), (nil, 1)])
    func whatALostReplyCostsIsCountedApartAndMustBeSaid(_ status: String?, _ failures: Int) {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict), kill(11, by: 0, of: strict)]
            evidence.calls[0].isReplyLost = true
            evidence.endings = status.map { [Evidence.Ending(at: 12, account: strict, status: $0)] } ?? []
        }
        #expect(verdict.grantsLost == 0)
        #expect(verdict.repliesLost.count == 1)
        #expect(verdict.failures.count == failures, "\(verdict.failures)")
    }

    @Test(arguments: [(true, 0), (false, 1)])
    func aReplyIsLostWithItsDaemonOnlyIfNobodySawItsToken(_ isLost: Bool, _ lost: Int) {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict, token: "a"), kill(12, by: 0, of: strict)]
            evidence.downtimes = [down(0, 10.05, 11)]
            evidence.seen = isLost ? [] : ["a"]
            evidence.endings = [Evidence.Ending(at: 13, account: strict, status: "unknown_outcome")]
        }
        #expect(verdict.grantsLost == lost)
    }

    @Test(arguments: [(30.0, 0), (12.0, 1)])
    func anotherMayTakeOverOnlyWhileWhoHasTheReplyIsDown(_ back: Double, _ lost: Int) {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict, token: "a"), kill(16, by: 1, of: strict)]
            evidence.downtimes = [down(0, 10.5, back)]
            evidence.seen = ["a"]
            evidence.endings = [Evidence.Ending(at: 17, account: strict, status: "unknown_outcome")]
        }
        #expect(verdict.grantsLost == lost)
    }

    @Test(arguments: [(16.0, 1), (22.5, 0)])
    func nobodyTakesOverWhileTheTokenAtHandLives(_ second: Double, _ lost: Int) {
        let verdict = judge { evidence in
            evidence.calls = [
                call(4, by: 0, of: strict, token: "before"), call(9, by: 0, of: strict, token: "a"),
                kill(second, by: 1, of: strict),
            ]
            evidence.downtimes = [down(0, 9.5, 30)]
            evidence.seen = ["before", "a"]
            evidence.endings = [Evidence.Ending(at: second + 1, account: strict, status: "unknown_outcome")]
        }
        #expect(verdict.grantsLost == lost)
    }

    @Test func withGraceNoLostReplyMayCostAGrant() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: grace), kill(11, by: 0, of: grace)]
            evidence.calls[0].isReplyLost = true
        }
        #expect(verdict.grantsLost == 1)
    }

    // MARK: Repetitions

    @Test(arguments: [(16.0, 1), (18.0, 0)])
    func tooSoonIsTwice(_ second: Double, _ twice: Int) {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: plain, token: "a"), call(second, by: 1, of: plain)]
            evidence.seen = ["a"]
        }
        #expect(verdict.refreshedTwice == twice)
        #expect(verdict.failures.count == twice)
    }

    @Test func aLostReplyIsAskedForAgain() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: plain), call(11, by: 0, of: plain)]
            evidence.calls[0].isReplyLost = true
        }
        #expect(verdict.repetitions.count == 1)
        #expect(verdict.failures == [])
    }

    @Test func onlyAnAccessTokenMayGoWithADaemonThatHadIt() {
        let verdict = judge { evidence in
            for account in [strict, plain] {
                let token = "of \(account)"
                evidence.calls += [call(10, by: 0, of: account, token: token), call(13, by: 0, of: account)]
                evidence.seen.insert(token)
            }
            evidence.downtimes = [down(0, 10.2, 12)]
        }
        #expect(verdict.refreshedTwice == 1)
        #expect(verdict.repetitions.count == 1)
        #expect(verdict.failures.first?.contains("account \(strict) ") == true)
    }

    @Test func aClaimOfADaemonThatWasKilledIsNoReasonToCallAgain() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict, token: "a"), call(13, by: 2, of: strict)]
            evidence.seen = ["a"]
            evidence.downtimes = [down(2, 11, 12)]
            let span = Span(from: 11, to: 15)
            evidence.faults = [Evidence.Fault(what: "claimed", account: strict, claimedBy: 2, span: span)]
        }
        #expect(verdict.refreshedTwice == 1)
    }

    @Test(arguments: [(12.0, 0), (nil, 1)] as [(Double?, Int)])
    func aClockThatWasSteppedWithinALifeIsAReason(_ step: Double?, _ twice: Int) {
        let verdict = judge { evidence in
            evidence.calls = [call(100, by: 0, of: plain, token: "a"), call(103, by: 1, of: plain)]
            evidence.seen = ["a"]
            let at = step.map { 90 + $0 } ?? 10
            evidence.clockSteps = [Evidence.ClockStep(at: at, daemon: 1, offset: 2)]
        }
        #expect(verdict.refreshedTwice == twice)
    }

    @Test func aNewGrantIsRefreshedAtOnce() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict), call(13, by: 1, of: strict)]
            evidence.enrolments = [Evidence.Enrolment(at: 12, account: strict)]
        }
        #expect(verdict.failures == [])
    }

    // MARK: Time without a token

    @Test func ofAGapOnlyWhatNoFaultCoversCounts() {
        let verdict = judge { evidence in
            evidence.gaps = [Evidence.Gap(daemon: 1, account: plain, span: Span(from: 10, to: 20), said: "503")]
            evidence.faults = [
                Evidence.Fault(what: "database", span: Span(from: 8, to: 12)),
                Evidence.Fault(what: "claimed", account: plain, span: Span(from: 13, to: 17)),
                Evidence.Fault(what: "claimed", account: strict, span: Span(from: 17, to: 19)),
            ]
            evidence.downtimes = [down(1, 18.5, 30), down(0, 17, 30)]
        }
        #expect(verdict.longestGap == 10)
        #expect(verdict.longestBeyond == 1.5)
        #expect(verdict.failures == [])
    }

    @Test(arguments: [true, false]) func theBarDecidesUnlessItIsOnlyTold(_ decides: Bool) {
        var lenient = settings
        lenient.isLenient = !decides
        var evidence = Evidence()
        evidence.gaps = [Evidence.Gap(daemon: 1, account: plain, span: Span(from: 10, to: 12.5), said: "503")]
        let verdict = Referee.judge(evidence, lenient)
        #expect(verdict.longestBeyond == 2.5)
        #expect(verdict.failures.isEmpty == !decides)
    }

    @Test func whoHasNoGrantHasNoTokenUntilAPersonActs() {
        let verdict = judge { evidence in
            evidence.calls = [call(10, by: 0, of: strict), kill(11, by: 0, of: strict)]
            evidence.calls[0].isReplyLost = true
            evidence.endings = [Evidence.Ending(at: 12, account: strict, status: "unknown_outcome")]
            evidence.enrolments = [Evidence.Enrolment(at: 39, account: strict)]
            evidence.gaps = [Evidence.Gap(daemon: 2, account: strict, span: Span(from: 25, to: 40), said: "409")]
        }
        #expect(verdict.longestBeyond == 1)
    }

    // MARK: The rest

    @Test func aDeadTokenAndATroubleFail() {
        let verdict = judge { evidence in
            evidence.deadTokens = [Evidence.DeadToken(at: 5, daemon: 0, account: plain, deadFor: 0.2)]
            evidence.troubles = ["a daemon did not come back"]
        }
        #expect(verdict.deadTokens == 1)
        #expect(verdict.failures.count == 2)
    }

    @Test(arguments: [(0, 0, 0), (20_000, 0, 1), (0, 30, 1), (4000, 5, 0)])
    func whatGrowsFails(_ memory: Int, _ descriptors: Int, _ failures: Int) {
        let verdict = judge { evidence in
            evidence.vitals[77] = (0..<60).map { second in
                let share = Double(second) / 60
                return Evidence.Vitals(
                    at: Double(second),
                    kibibytes: 12_000 + Int(share * Double(memory) * 1.6),
                    descriptors: 30 + Int(share * Double(descriptors) * 1.6)
                )
            }
        }
        #expect(verdict.processesWeighed == 1)
        #expect(verdict.failures.count == failures, "\(verdict.failures)")
    }
}
