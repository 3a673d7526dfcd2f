// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// A row that the application keeps locked holds up its own token, and no other.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineLockedRowTests {
    private let one = UserID("1")
    private let two = UserID("2")

    @Test func othersArePublishedAndWrittenWhileARowIsWaitedFor() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")])
        fixture.store.lock(one, true)
        fixture.store.hold("write waiting")
        await fixture.start()
        // Both are rotated, so that neither is handed out before it is stored.
        for _ in 1...2 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
            let name = call.refreshToken == Secret("r1") ? "a" : "b"
            call.answer(fixture.answer(name, rotated: "new-\(name)"))
        }
        await fixture.settled { fixture.token(of: two) == "b" }
        #expect(fixture.token(of: one) == nil)
        fixture.store.lock(one, false)
        fixture.store.release("write waiting")
        await fixture.settled { fixture.token(of: one) == "a" }
        #expect(fixture.store[one]?.refreshToken == "new-a")
    }

    @Test func aSlowRowIsWrittenApartFromTheOthersUntilItIsStored() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")])
        await fixture.start()
        fixture.store.failWrites(with: StoreFailure(.timeout, text: "slow"))
        fixture.store.hold("write waiting")
        let first = await fixture.endpoint.nextCall()
        let isOne = first.refreshToken == Secret("r1")
        first.answer(fixture.answer("a"))
        // Together, and then alone.
        _ = await fixture.store.writes.next()
        _ = await fixture.store.writes.next()
        fixture.store.failWrites(with: nil)
        // The other one's write waits for nobody.
        let second = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        second.answer(fixture.answer("b"))
        await fixture.settled { fixture.store[isOne ? two : one]?.accessToken == "b" }
        await fixture.advance(by: .seconds(1))
        await fixture.settled { fixture.token(of: isOne ? one : two) == "a" }
        fixture.store.release("write waiting")
        await fixture.settled { fixture.store[isOne ? one : two]?.accessToken == "a" }
    }

    @Test func aRowThatStaysLockedIsTriedAgainWithinSeconds() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.lock(one, true)
        await fixture.start()
        await fixture.endpoint.nextCall().answer(fixture.answer("a", rotated: "new"))
        // However often it was locked already.
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return ((await fixture.engine.report(on: one))?.consecutiveFailures ?? 0) >= 10
        }
        let report = await fixture.engine.report(on: one)
        #expect(report?.lastError?.contains("locked") == true)
        #expect(report?.nextRefreshAt.map { $0 <= fixture.clock.now.wall + .seconds(5) } == true)
        fixture.store.lock(one, false)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.token(of: one) == "a"
        }
    }

    @Test func aRowThatStaysLockedIsTriedAgainAfterABackoff() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.lock(one, true)
        await fixture.start()
        fixture.journal.fail(with: JournalFailure("reply-journal: No space left on device"))
        await fixture.endpoint.nextCall().answer(fixture.answer("a", rotated: "new"))
        // Once without waiting, once waiting.
        _ = await fixture.store.writes.next()
        _ = await fixture.store.writes.next()
        await fixture.turn()
        #expect(fixture.token(of: one) == nil)
        #expect(fixture.store.writes.count == 0)
        fixture.store.lock(one, false)
        await fixture.advance(by: .seconds(60))
        await fixture.settled { fixture.token(of: one) == "a" }
    }

    @Test func aRowForWhichNoTimeWasLeftIsTriedAgainAtOnceAndIsNoFailure() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.lock(one, true)
        fixture.store.leaveUntried(one)
        fixture.store.hold("write waiting")
        await fixture.start()
        await fixture.endpoint.nextCall().answer(fixture.answer("a", rotated: "new"))
        fixture.store.release("write waiting")
        // Without waiting, waiting and untried, and again.
        for _ in 1...3 { _ = await fixture.store.writes.next() }
        #expect((await fixture.engine.report(on: one))?.consecutiveFailures == 0)
        fixture.store.lock(one, false)
        fixture.store.release("write waiting")
        await fixture.settled { fixture.token(of: one) == "a" }
    }

    @Test func aRotatedTokenWhoseBatchTookTooLongIsWrittenAlone() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        fixture.store.failWrites(with: StoreFailure(.timeout, text: "slow"))
        fixture.store.hold("write waiting")
        await fixture.endpoint.nextCall().answer(fixture.answer("a", rotated: "new"))
        _ = await fixture.store.writes.next()
        _ = await fixture.store.writes.next()
        fixture.store.failWrites(with: nil)
        fixture.store.release("write waiting")
        await fixture.settled { fixture.token(of: one) == "a" }
    }
}
