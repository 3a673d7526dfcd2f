// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// H15: what one daemon's wall clock wrote another one reads by the database's clock.
@Suite(.timeLimit(.minutes(5))) struct ServerClockTests {
    private let one = UserID("1")

    private func clock(_ server: Int64, _ sent: Int64, _ received: Int64) -> ServerClock {
        ServerClock(
            WallTime(nanoseconds: server),
            askedAt: BootTime(nanoseconds: sent),
            answeredAt: BootTime(nanoseconds: received)
        )
    }

    @Test func atEachEndTheEarlierOfWhatCanBeIsTaken() {
        let clock = clock(1_000_000, 100, 140)
        // The server's time was right somewhere between question and answer.
        #expect(clock.time(at: BootTime(nanoseconds: 140)) == WallTime(nanoseconds: 1_000_000))
        #expect(clock.bootTime(at: WallTime(nanoseconds: 1_000_000)) == BootTime(nanoseconds: 100))
    }

    @Test func aQuickerAnswerTellsMoreAndWhatContradictsIsAnotherClock() {
        let (slow, quick) = (clock(1_000_000, 100, 200), clock(1_999_960, 1_000_100, 1_000_110))
        let both = quick.narrowed(by: slow)
        #expect(both == quick && slow.narrowed(by: quick) == quick)
        let stepped = clock(9_000_000, 1_000_100, 1_000_110)
        #expect(stepped.narrowed(by: slow) == stepped)
    }

    @Test func itTellsByHowMuchAWallClockIsAhead() {
        let clock = clock(5_000_000, 0, 0)
        let moment = Moment(wall: WallTime(nanoseconds: 8_000_000), boot: BootTime(nanoseconds: 1_000_000))
        #expect(clock.microsecondsAhead(moment) == 2001)
    }

    /// The writer's wall clock is ahead, or behind.
    @Test(arguments: [3600, -3600, 3, -3, 0])
    func h15ATokenEndsForTheReaderWhenItEndsHoweverWrongTheWritersClockIs(_ ahead: Int) async throws {
        let database = try await TestDatabase()
        let (writing, right) = (TestClock(), TestClock())
        writing.stepWall(by: .seconds(ahead))
        let writer = database.store(clock: writing) { $0.owner = "a" }
        let reader = database.store { $0.owner = "b" }
        _ = try await writer.open()
        _ = try await reader.open()
        let grant = try #require(try await writer.claim([one], sends: true).first)
        let life = TokenLife(sentAt: writing.read(), lifetime: .seconds(900))
        let write = GrantWrite(
            user: one,
            answer: TokenAnswer(accessToken: Secret("new"), life: life),
            usedVersion: grant.row.grant.version,
            claim: grant.hold.claim
        )
        #expect(try await writer.write([write])[one]?.isStored == true)
        let row = try #require(try await reader.rows(of: [one]).first)
        let endsAt = try #require(row.memory?.tokenEndsAt)
        let left = endsAt - right.read().boot
        #expect(left <= .seconds(900) && left > .seconds(870), "\(left)")
    }
}
