// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct MomentTests {
    @Test func h15ADeadlineIsReachedAsSoonAsEitherClockSaysSo() {
        let deadline = Moment.newYear + .seconds(60)
        let steppedForward = Moment(wall: Moment.newYear.wall + .seconds(60), boot: Moment.newYear.boot + .seconds(1))
        let steppedBack = Moment(wall: Moment.newYear.wall + .seconds(-3600), boot: Moment.newYear.boot + .seconds(60))
        #expect(!deadline.isReached(at: .newYear + .seconds(59)))
        #expect(deadline.isReached(at: steppedForward))
        #expect(deadline.isReached(at: steppedBack))
    }

    @Test func aWallDeadlineLiesAsFarAwayOnTheBootClock() {
        let deadline = Moment(wall: Moment.newYear.wall + .seconds(90), seenFrom: .newYear)
        #expect(deadline == .newYear + .seconds(90))
    }

    @Test(arguments: [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)] as [(Int64, Int64)])
    func microsecondsAreRoundedDown(_ nanoseconds: Int64, _ microseconds: Int64) {
        #expect(WallTime(nanoseconds: nanoseconds).microseconds == microseconds)
    }

    @Test func farAwayTimesAreClampedAndDoNotTrap() {
        #expect(WallTime(microseconds: .max).nanoseconds == .max)
        #expect(WallTime(microseconds: .min).nanoseconds == .min)
        #expect((WallTime(nanoseconds: .max) + .seconds(1)).nanoseconds == .max)
        #expect((WallTime(nanoseconds: .min) - WallTime(nanoseconds: .max)).nanoseconds == .min)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(900).scaled(by: .infinity).nanoseconds > 0)
    }

    @Test(
        arguments: [(0, 0, 0), (1, 0, 1), (1000, 1, 1), (1001, 1, 2), (-1, -1, 0), (-1001, -2, -1)]
            as [(Int, Int64, Int64)]
    )
    func wholeSecondsAreRoundedBothWays(_ milliseconds: Int, _ down: Int64, _ up: Int64) {
        #expect(Duration.milliseconds(milliseconds).wholeSecondsDown == down)
        #expect(Duration.milliseconds(milliseconds).wholeSecondsUp == up)
    }

    @Test func h15ATokenLivesOnlyWhileBothClocksSaySo() {
        let life = TokenLife(sentAt: .newYear, lifetime: .seconds(900))
        #expect(life.isAlive(at: .newYear + .milliseconds(899_999)))
        #expect(!life.isAlive(at: .newYear + .seconds(900)))
        let setBack = Moment(wall: Moment.newYear.wall, boot: Moment.newYear.boot + .seconds(900))
        #expect(!life.isAlive(at: setBack), "a clock that was set back keeps no dead token in service")
        #expect(life.beganAt == .newYear)
    }
}
