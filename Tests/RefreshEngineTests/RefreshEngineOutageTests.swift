// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// H12 with two thousand accounts at the rate that just keeps them fresh, a fifth of the contract's default as they are a fifth of the
/// ten thousand that it is for (those take a minute without the optimiser), and an endpoint that is away.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RefreshEngineOutageTests {
    private static let accounts = 2000
    private static let lifetime: Duration = .seconds(900)
    /// With 0.6 of a life of 900 s it carries 2160 accounts.
    private static let perSecond = 4

    /// Time that goes by, calls that are answered at once, and a book of both.
    private struct Play {
        let fixture: EngineFixture
        var isAway = false
        /// When each account's token dies.
        var diesAt: [Moment]
        /// Accounts that were without a live token at some time.
        var lapsed: Set<Int> = []
        /// Calls by the second in which they were made, from the start.
        var calls: [Int64: Int] = [:]
        /// Accounts in the order in which they were given a token.
        var served: [Int] = []
        /// When the token before died, of those of them whose turn it was by that.
        var diedAt: [Moment] = []
        /// Accounts whose last call failed.
        private var failed: Set<Int> = []
        /// Accounts with a live token that was not to be had, or another one.
        var unserved: [Int] = []
        private var looked = 0

        init(_ fixture: EngineFixture, diesAt: [Moment]) {
            (self.fixture, self.diesAt) = (fixture, diesAt)
        }

        var now: Moment { fixture.clock.now }
        private var second: Int64 { (now.boot - Moment.newYear.boot).components.seconds }

        /// Lets so much time go by, from one thing that the engine wants to do to the next.
        mutating func go(on duration: Duration) async {
            let end = now + duration
            while !end.isReached(at: now) {
                let armed = fixture.alarm.deadline.map { $0.nanoseconds - now.wall.nanoseconds } ?? .max
                let step = min(max(armed, 1_000_000), 1_000_000_000)
                await fixture.advance(by: min(.nanoseconds(step), end.remaining(at: now)))
                await answerAll()
                look()
            }
        }

        /// Answers until no call is under way and none is about to be.
        private mutating func answerAll() async {
            while !Task.isCancelled {
                while fixture.endpoint.unseen > 0 { answer(await fixture.endpoint.nextCall()) }
                let summary = await fixture.engine.summary()
                if summary.inFlight == 0, summary.unstored == 0, fixture.endpoint.unseen == 0 { return }
                await Task.yield()
            }
        }

        private mutating func answer(_ call: ScriptedEndpoint.Call) {
            calls[second, default: 0] += 1
            let number = Int(call.refreshToken.reveal().dropFirst()) ?? 0
            guard !isAway else {
                failed.insert(number)
                return call.fail(RefreshFailure(.connect, text: "no connection"))
            }
            let isDead = diesAt[number].isReached(at: now)
            if isDead { lapsed.insert(number) }
            served.append(number)
            // Who failed without a live token has nothing left to lose, and comes when all others had their turn.
            if failed.remove(number) == nil || !isDead { diedAt.append(diesAt[number]) }
            let answer = fixture.answer("b\(served.count)")
            diesAt[number] = answer.life.expiresAt
            call.answer(answer)
        }

        /// Asks for some accounts' tokens, others each time: one that lives is to be had, whatever goes on.
        private mutating func look() {
            for _ in 0..<5 {
                looked = (looked + 1) % diesAt.count
                let token = fixture.engine.entry(for: UserID("\(looked)"))?.token
                if !diesAt[looked].isReached(at: now), token?.life.expiresAt != diesAt[looked] {
                    unserved.append(looked)
                }
            }
        }

        /// The most calls in a second, of those from one to another.
        func peak(from first: Int64, to last: Int64) -> Int {
            calls.filter { (first..<last).contains($0.key) }.values.max() ?? 0
        }

        func count(from first: Int64, to last: Int64) -> Int {
            calls.filter { (first..<last).contains($0.key) }.values.reduce(0, +)
        }
    }

    /// All with tokens that die one after the other, as after hours of quiet.
    private func start() async -> Play {
        let spread = Self.lifetime.scaled(by: 0.6)
        let diesAt = (0..<Self.accounts).map { number in
            Moment.newYear + Self.lifetime.scaled(by: 0.4)
                + spread.scaled(by: Double(number) / Double(Self.accounts))
        }
        let rows = diesAt.enumerated().map { number, end in
            (
                UserID("\(number)"),
                RecordingStore.Row(refreshToken: "r\(number)", accessToken: "a\(number)", expiresAt: end.wall)
            )
        }
        let fixture = EngineFixture(
            Dictionary(uniqueKeysWithValues: rows),
            EngineConfiguration(maxPerSecond: Double(Self.perSecond))
        )
        await fixture.start()
        return Play(fixture, diesAt: diesAt)
    }

    @Test(arguments: [1, 5, 20])
    func h12ManyAccountsThroughAnOutage(ofMinutes minutes: Int) async {
        var play = await start()
        let (before, outage): (Int64, Int64) = (60, Int64(minutes) * 60)
        await play.go(on: .seconds(before))
        #expect(play.lapsed.isEmpty && play.served.count > 3 * 60)

        play.isAway = true
        await play.go(on: .seconds(outage))
        // It takes most of a minute to tell that it is away: there were answers in the one before.
        let calls = play.count(from: before + 60, to: before + outage)
        let peak = play.peak(from: before, to: before + outage)
        print("\(minutes) min away: \(calls) calls after the first, at most \(peak) in a second")
        #expect(peak <= Self.perSecond + 1)
        #expect(calls <= Int(outage) - 60, "one a second at most, where tokens are about to die")
        #expect(await play.fixture.engine.summary().stoppedFor != nil)

        play.isAway = false
        let firstOfOrder = play.diedAt.count
        await play.go(on: .seconds(600))
        let last = before + outage + 600
        let after = play.peak(from: before + outage, to: last)
        print("back again: at most \(after) calls in a second, \(play.lapsed.count) accounts were without a token")
        #expect(after <= Self.perSecond + 1)
        expectUrgentFirst(play.diedAt[firstOfOrder...])
        let unserved = play.unserved.count
        #expect(unserved == 0, "live tokens were not handed out, as those of \(play.unserved.prefix(3))")
        let now = play.now
        let dead = play.diesAt.count { $0.isReached(at: now) }
        #expect(dead == 0, "all are well")
        if minutes <= 5 {
            let lapsed = play.lapsed.count
            #expect(lapsed == 0, "0.4 of a life is 6 min")
        }
        #expect(await play.fixture.engine.tally.healthy == Self.accounts)
    }

    /// Who is served comes before whose token dies later, but for what failures set one back: 30 s at most (RefreshEngine+Steps).
    private func expectUrgentFirst(_ order: ArraySlice<Moment>) {
        var latest = Moment.newYear
        var worst = Duration.zero
        for died in order {
            worst = max(worst, latest.boot - died.boot)
            if died.boot > latest.boot { latest = died }
        }
        print("at most \(worst) out of order")
        #expect(order.count > Self.accounts / 2)
        #expect(worst <= .seconds(31))
    }
}
