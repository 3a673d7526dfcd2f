// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Whose refresh tokens are kept where not all can be (`refresh.keepGrants`), seen by who is refreshed with the database away.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineKeepingTests {
    private let away = StoreFailure(.unavailable, text: "gone")

    /// Accounts 0, 1, …, each due ten seconds after the one before, the first in 240 s.
    private func fixture(accounts: Int, kept: Int) async -> EngineFixture {
        let rows = (0..<accounts).map { number in
            (
                UserID("\(number)"),
                RecordingStore.Row(
                    refreshToken: "r\(number)",
                    accessToken: "a\(number)",
                    expiresAt: Moment.newYear.wall + .seconds(600 + 10 * number)
                )
            )
        }
        let configuration = EngineConfiguration(keptGrants: kept)
        let fixture = EngineFixture(Dictionary(uniqueKeysWithValues: rows), configuration)
        await fixture.start()
        await fixture.settled { fixture.store.count("grants") == 1 }
        await fixture.turn()
        return fixture
    }

    /// Lets time go by in steps of ten seconds, answers every call, and gives whose they were, in their order.
    private func callsDuring(_ time: Int, _ fixture: EngineFixture) async -> [String] {
        var users: [String] = []
        for _ in 0..<(time / 10) {
            await fixture.advance(by: .seconds(10))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                let call = await fixture.endpoint.nextCall()
                users.append(String(call.refreshToken.reveal().dropFirst()))
                call.answer(fixture.answer("new-\(users.count)"))
                await fixture.turn()
            }
        }
        return users
    }

    @Test func thoseDueSoonestAreKept() async {
        let fixture = await fixture(accounts: 20, kept: 3)
        fixture.store.fail(with: away)
        #expect(await callsDuring(500, fixture) == ["0", "1", "2"])
    }

    @Test func whatWasOnlySealedAnewIsKeptAsItIs() async {
        let fixture = await fixture(accounts: 2, kept: 2)
        let user = UserID("0")
        var row = fixture.store[user]
        row?.refreshToken = "r0 under another key"
        row?.memory = GrantMemory(
            status: .active,
            grantVersion: nil,
            generation: 1,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: nil,
            lifetime: nil,
            sealedAnewFrom: [RecordingStore.version(of: "r0")]
        )
        fixture.store[user] = row
        await fixture.advance(by: .seconds(60))
        await fixture.settled { fixture.store.count("rows") == 1 }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0, "it is not refreshed for it")
        #expect(fixture.store.count("grants") == 1, "nor read again")
        fixture.store.fail(with: away)
        #expect(await callsDuring(240, fixture) == ["0", "1"])
    }

    @Test func whoWasRefreshedLeavesTheRoomToTheNext() async {
        let fixture = await fixture(accounts: 20, kept: 3)
        #expect(await callsDuring(270, fixture) == ["0", "1", "2", "3"])
        fixture.store.fail(with: away)
        // The first four are due again within that time, and all others; the next three are kept, and nobody else.
        #expect(await callsDuring(560, fixture) == ["4", "5", "6"])
    }

    @Test func whereThereIsRoomForAllNobodyLeaves() async {
        let fixture = await fixture(accounts: 5, kept: 5)
        #expect(await callsDuring(290, fixture) == ["0", "1", "2", "3", "4"])
        #expect(fixture.store.count("grants") == 1, "each was read once")
        fixture.store.fail(with: away)
        #expect(await callsDuring(540, fixture) == ["0", "1", "2", "3", "4"])
    }

    @Test func ofManyInLineEachIsReadOnceHoweverLongTheyStandThere() async {
        // More than one batch, all due at once, of which only a few are called for at a time, and none is answered.
        let rows = (0..<2500).map { (UserID("\($0)"), RecordingStore.Row(refreshToken: "r\($0)")) }
        let fixture = EngineFixture(
            Dictionary(uniqueKeysWithValues: rows),
            EngineConfiguration(maxInFlight: 4, keptGrants: 10_000)
        )
        await fixture.start()
        for _ in 0..<40 {
            await fixture.advance(by: .milliseconds(200))
            await fixture.turn()
        }
        #expect(fixture.store.count("grants") == 5, "five hundred at a time")
    }

    @Test func aNewGrantIsKeptInItsTurn() async {
        let fixture = await fixture(accounts: 4, kept: 2)
        fixture.store[UserID("3")] = RecordingStore.Row(refreshToken: "rnew")
        fixture.store.tell(.users([UserID("3")]))
        // It is refreshed at once, with the database there.
        #expect(await callsDuring(20, fixture) == ["new"])
        fixture.store.fail(with: away)
        #expect(await callsDuring(500, fixture) == ["0", "1"])
    }
}
