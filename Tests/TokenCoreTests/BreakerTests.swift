// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// When it is we who are at fault, and how that ends (hard cases H11, H12).
@Suite struct BreakerTests {
    private let start = Moment.newYear

    private func user(_ number: Int) -> UserID { UserID("\(number)") }

    /// The ends of calls for accounts with these numbers, all at one time.
    private func end(
        _ breaker: inout Breaker,
        _ outcome: CallOutcome,
        of users: ClosedRange<Int>,
        at now: Moment? = nil
    ) -> [Breaker.Change] {
        users.compactMap {
            breaker.ended(outcome, of: user($0), begunAt: now ?? start, perSecond: 80, at: now ?? start)
        }
    }

    private func opened(_ outcome: CallOutcome) -> Breaker {
        var breaker = Breaker(backoff: Backoff())
        _ = end(&breaker, outcome, of: 1...10)
        return breaker
    }

    @Test func h11OneRefusalOfTheClientIsEnough() {
        var breaker = Breaker(backoff: Backoff())
        #expect(end(&breaker, .clientRefused, of: 1...1) == [.opened(.clientRefused)])
        #expect(breaker.wait(forLifeLeft: .seconds(900), at: start) == .seconds(1))
    }

    @Test(arguments: [(9, 0, false), (10, 0, true), (10, 9, true), (10, 10, false), (11, 10, true), (9, 100, false)])
    func h11RefusalsOfMostAccountsAreNobodysOwn(_ refused: Int, _ granted: Int, _ opens: Bool) {
        var breaker = Breaker(backoff: Backoff())
        if granted > 0 { _ = end(&breaker, .granted, of: 1000...(999 + granted)) }
        let changes = end(&breaker, .grantRefused, of: 1...refused)
        #expect(changes == (opens ? [.opened(.grantsRefused)] : []))
    }

    @Test func h11OneAccountThatIsRefusedAgainAndAgainCountsOnce() {
        var breaker = Breaker(backoff: Backoff())
        for _ in 0..<100 { #expect(end(&breaker, .grantRefused, of: 1...9) == []) }
    }

    @Test func h11RefusalsOverMoreThanAMinuteAreTheAccountsOwn() {
        var breaker = Breaker(backoff: Backoff())
        for number in 1...100 {
            #expect(end(&breaker, .grantRefused, of: number...number, at: start + .seconds(7 * number)) == [])
        }
    }

    @Test func h12AnEndpointThatAnswersNobodyIsAway() {
        var breaker = Breaker(backoff: Backoff())
        #expect(end(&breaker, .unanswered, of: 1...9) == [])
        #expect(end(&breaker, .granted, of: 1000...1000) == [], "an answer between them")
        #expect(end(&breaker, .unanswered, of: 10...18) == [])
        #expect(end(&breaker, .unanswered, of: 19...19) == [.opened(.endpointAway)])
    }

    @Test func h12OneThatAnswersHalfOfThemIsCalledOn() {
        var breaker = Breaker(backoff: Backoff())
        for number in 1...200 {
            let outcome: CallOutcome = number.isMultiple(of: 3) ? .granted : .unanswered
            #expect(end(&breaker, outcome, of: number...number) == [])
        }
    }

    @Test func h12TenThatFailAmongThousandsAreTheirOwn() {
        var breaker = Breaker(backoff: Backoff())
        _ = end(&breaker, .granted, of: 1000...2000)
        #expect(end(&breaker, .unanswered, of: 1...20) == [])
    }

    @Test(arguments: [CallOutcome.clientRefused, .grantRefused])
    func h11ProbesGrowRarer(_ outcome: CallOutcome) {
        var breaker = opened(outcome)
        var now = start
        var waits: [Int64] = []
        for _ in 0..<12 {
            let wait = breaker.wait(forLifeLeft: .seconds(900), at: now)
            waits.append(wait.wholeSecondsUp)
            now = now + wait
            breaker.called(lifeLeft: .zero, perSecond: 80, at: now)
        }
        #expect(waits == [1, 1, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120])
    }

    @Test func h12AnEndpointThatIsAwayIsLookedForTheSoonerTheNearerATokensEnd() {
        var breaker = opened(.unanswered)
        var now = start
        func next(_ lifeLeft: Duration) -> Duration {
            now = now + breaker.wait(forLifeLeft: lifeLeft, at: now)
            breaker.called(lifeLeft: lifeLeft, perSecond: 80, at: now)
            return breaker.wait(forLifeLeft: lifeLeft, at: now)
        }
        #expect((0..<6).map { _ in next(.seconds(400)) } == [1, 2, 4, 8, 15, 15].map { .seconds($0) })
        #expect(breaker.wait(forLifeLeft: .seconds(8), at: now) == .seconds(2), "another one comes into the line")
        #expect(next(.seconds(20)) == .seconds(5))
        #expect(next(.seconds(2)) == .seconds(1))
        #expect(next(.zero) == .seconds(1))
        #expect(next(.seconds(-40)) == .seconds(10))
    }

    @Test func h12NoLongerThanTheLongestBackoff() {
        var breaker = Breaker(backoff: Backoff(initial: .milliseconds(200), maximum: .seconds(2)))
        _ = end(&breaker, .unanswered, of: 1...10)
        #expect(breaker.wait(forLifeLeft: .seconds(900), at: start) == .milliseconds(500))
        for _ in 0..<5 { breaker.called(lifeLeft: .seconds(900), perSecond: 80, at: start) }
        #expect(breaker.wait(forLifeLeft: .seconds(900), at: start) == .seconds(2))
    }

    @Test(arguments: [CallOutcome.grantRefused, .granted, .answered])
    func h12AnyAnswerSaysThatTheEndpointIsBack(_ outcome: CallOutcome) {
        var breaker = opened(.unanswered)
        #expect(end(&breaker, outcome, of: 11...11) == [.closed(.endpointAway)])
    }

    @Test func h11WhatWasSentBeforeItOpenedIsNoProofAmidRefusals() {
        var breaker = opened(.grantRefused)
        let later = start + .seconds(5)
        #expect(breaker.ended(.granted, of: user(2), begunAt: start + .seconds(-1), perSecond: 80, at: later) == nil)
        #expect(breaker.ended(.grantRefused, of: user(2), begunAt: later, perSecond: 80, at: later) == nil)
        #expect(
            breaker.ended(.granted, of: user(2), begunAt: later, perSecond: 80, at: later) == .closed(.grantsRefused)
        )
    }

    @Test func h11WhereItWasAcceptedAMomentAgoTheThirdAccountSaysThatTheClientIsRefused() {
        var breaker = Breaker(backoff: Backoff())
        _ = end(&breaker, .granted, of: 9...9)
        #expect(end(&breaker, .clientRefused, of: 1...2) == [])
        #expect(end(&breaker, .clientRefused, of: 1...2) == [], "the same ones again")
        #expect(end(&breaker, .clientRefused, of: 3...3) == [.opened(.clientRefused)])
        #expect(end(&breaker, .granted, of: 9...9) == [.closed(.clientRefused)])
    }

    @Test func h11WhoWasRefusedAloneDoesNotStopTheOthers() {
        var breaker = Breaker(backoff: Backoff())
        for number in 1...20 {
            #expect(end(&breaker, .granted, of: 1000...1000) == [])
            #expect(end(&breaker, .clientRefused, of: number...number) == [])
        }
        _ = end(&breaker, .granted, of: 1000...1000)
        #expect(end(&breaker, .clientRefused, of: 1...20) == [], "it was accepted for another one after each of them")
        #expect(end(&breaker, .clientRefused, of: 21...23) == [.opened(.clientRefused)])
    }

    @Test func h11WhoIsAcceptedAgainIsNotTakenForRefusedAloneAnyMore() {
        var breaker = Breaker(backoff: Backoff())
        _ = end(&breaker, .clientRefused, of: 1...5)
        _ = end(&breaker, .granted, of: 1...5)
        #expect(end(&breaker, .clientRefused, of: 1...3) == [.opened(.clientRefused)])
    }

    @Test func h11AfterAProbeAmidRefusalsTheyAreTheAccountsOwnForAWhile() {
        var breaker = opened(.grantRefused)
        var now = start + .seconds(1)
        #expect(end(&breaker, .granted, of: 11...11, at: now) == [.closed(.grantsRefused)])
        #expect(end(&breaker, .grantRefused, of: 1...30, at: now) == [])
        now = now + .seconds(601)
        #expect(end(&breaker, .grantRefused, of: 1...30, at: now) == [.opened(.grantsRefused)])
    }

    @Test func h12CallsComeBackSecondBySecond() {
        var breaker = opened(.unanswered)
        _ = end(&breaker, .granted, of: 1...1)
        var made = [0, 0, 0, 0]
        for tick in 0..<4000 {
            let now = start + .milliseconds(tick)
            if breaker.wait(forLifeLeft: .seconds(900), at: now) <= .zero {
                breaker.called(lifeLeft: .zero, perSecond: 80, at: now)
                made[tick / 1000] += 1
            }
        }
        #expect((9...13).contains(made[0]) && (19...24).contains(made[1]) && (39...44).contains(made[2]), "\(made)")
        #expect(made[3] == 1000, "nothing of it is left")
    }

    @Test func aProbeThatIsNotMadeAfterAllMakesTheWaitsNoLonger() {
        var breaker = opened(.clientRefused)
        let later = start + .seconds(1)
        for _ in 0..<20 {
            breaker.called(lifeLeft: .zero, perSecond: 80, at: later)
            breaker.putBack()
            #expect(breaker.wait(forLifeLeft: .zero, at: later) <= .zero)
        }
        breaker.called(lifeLeft: .zero, perSecond: 80, at: later)
        #expect(breaker.wait(forLifeLeft: .zero, at: later) == .seconds(1))
        breaker.putBack()
        breaker.putBack()
        #expect(breaker.wait(forLifeLeft: .zero, at: later) <= .zero, "it was put back once")
    }

    @Test func anotherSecretIsTriedAtOnce() {
        var breaker = opened(.clientRefused)
        for _ in 0..<9 { breaker.called(lifeLeft: .zero, perSecond: 80, at: start) }
        breaker.kick(at: start)
        #expect(breaker.wait(forLifeLeft: .seconds(900), at: start) <= .zero)
        breaker.called(lifeLeft: .zero, perSecond: 80, at: start)
        #expect(breaker.wait(forLifeLeft: .seconds(900), at: start) == .seconds(1))
    }

    @Test func anEndpointThatComesBackAndRefusesTheClientIsCalledMoreRarely() {
        var breaker = opened(.unanswered)
        #expect(end(&breaker, .clientRefused, of: 11...11) == [.opened(.clientRefused)])
        #expect(breaker.cause == .clientRefused)
    }

    @Test func howManyEverAreTriedTheyAreRememberedForAMinuteAtMost() {
        var breaker = Breaker(backoff: Backoff())
        for number in 1...40_000 { _ = end(&breaker, .grantRefused, of: number...number, at: start) }
        #expect(breaker.refusedUsers.count <= 16_384)
        let later = start + .seconds(61)
        _ = end(&breaker, .granted, of: 1...1, at: later)
        #expect(breaker.refusedUsers.isEmpty)
    }
}
