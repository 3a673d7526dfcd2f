// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct BackoffTests {
    private let backoff = Backoff()

    @Test(arguments: [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60), (Int.max, 60)])
    func theCeilingDoublesUpToTheMaximum(_ failures: Int, _ seconds: Int) {
        #expect(backoff.delay(afterFailures: failures, lifeLeft: .zero, draw: 1) == .seconds(seconds))
    }

    @Test func jitterIsFullButNotBelowHalfTheInitial() {
        #expect(backoff.delay(afterFailures: 7, lifeLeft: .zero, draw: 0.5) == .seconds(30))
        #expect(backoff.delay(afterFailures: 7, lifeLeft: .zero, draw: 0) == .milliseconds(500))
    }

    @Test func aLiveTokenIsNotSleptAway() {
        #expect(backoff.delay(afterFailures: 9, lifeLeft: .seconds(40), draw: 1) == .seconds(10))
        #expect(backoff.delay(afterFailures: 9, lifeLeft: .milliseconds(4), draw: 1) == .milliseconds(500))
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func everyDelayLiesBetweenItsBounds(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let backoff = Backoff(
            initial: .milliseconds(Int.random(in: 1...5000, using: &random)),
            maximum: .seconds(Int.random(in: 5...600, using: &random))
        )
        let left = Duration.seconds(Int.random(in: -10...900, using: &random))
        let delay = backoff.delay(
            afterFailures: Int.random(in: 0...100, using: &random),
            lifeLeft: left,
            draw: Double.random(in: 0...1, using: &random)
        )
        #expect(delay >= backoff.initial / 2)
        #expect(delay <= backoff.maximum)
        if left > .zero { #expect(delay <= max(left / 4, backoff.initial / 2)) }
    }
}

@Suite struct RefreshPolicyTests {
    fileprivate let policy = RefreshPolicy()

    @Test(arguments: [(0.0, 450), (0.5, 540), (1.0, 630)])
    func aTokenIsDueBetweenHalfAndSevenTenthsOfItsLife(_ draw: Double, _ seconds: Int) {
        let life = TokenLife(sentAt: .newYear, lifetime: .seconds(900))
        #expect(policy.due(life, draw: draw) == .newYear + .seconds(seconds))
    }

    @Test func absurdlyShortLivesDoNotHammerTheEndpoint() {
        let life = TokenLife(sentAt: .newYear, lifetime: .milliseconds(1))
        #expect(policy.due(life, draw: 0.5) == .newYear + .milliseconds(250))
        #expect(policy.floor(of: .seconds(900)) == .seconds(10))
        #expect(policy.floor(of: .seconds(20)) == .seconds(2))
    }

    @Test(arguments: [(900, 10_000), (40, 10_000), (20, 5000), (2, 1000), (0, 10_000), (-5, 10_000)])
    func aRefusalIsConfirmedBeforeTheTokenDies(_ secondsLeft: Int, _ milliseconds: Int) {
        #expect(policy.confirmationDelay(lifeLeft: .seconds(secondsLeft)) == .milliseconds(milliseconds))
    }
}

@Suite struct TokenBucketTests {
    private let start = Moment.newYear.boot

    @Test func callsAreEvenlySpread() {
        var bucket = TokenBucket(perSecond: 20, at: start)
        let taken = [0, 49, 50].map { bucket.take(at: start + .milliseconds($0)) }
        #expect(taken == [true, false, true])
        #expect(bucket.nextAt == start + .milliseconds(100))
    }

    @Test(arguments: [1, 7.5, 20, 500, 10_000])
    func anySecondSeesTheRateAndHardlyMore(_ rate: Double) {
        var bucket = TokenBucket(perSecond: rate, at: start)
        var taken = 0
        for millisecond in 0..<1000 {
            while bucket.take(at: start + .milliseconds(millisecond)) { taken += 1 }
        }
        #expect(Double(taken) <= rate * 1.01 + 1)
        #expect(Double(taken) >= rate * 0.98)
    }

    @Test func whatWasNotTakenIsNotSavedUp() {
        var bucket = TokenBucket(perSecond: 20, at: start)
        let taken = (0..<2).map { _ in bucket.take(at: start + .seconds(3600)) }
        #expect(taken == [true, false])
    }
}

extension RefreshPolicyTests {
    @Test(arguments: [(20.0, 900, 10_800), (20, 60, 720), (0.1, 900, 54), (1e9, 86_400, Int(Int32.max))])
    func capacityIsRateTimesTheTimeBetweenTwoRefreshes(_ rate: Double, _ lifetime: Int, _ accounts: Int) {
        #expect(policy.capacity(perSecond: rate, lifetime: .seconds(lifetime)) == accounts)
    }

    @Test(arguments: [(900, 30), (100, 10), (5, 1)])
    func aTokenIsAboutToDieInTheLastTenthOfItsLife(_ lifetime: Int, _ before: Int) {
        let life = TokenLife(sentAt: .newYear, lifetime: .seconds(lifetime))
        #expect(policy.lastMoment(of: life).remaining(at: .newYear) == .seconds(lifetime - before))
    }
}
