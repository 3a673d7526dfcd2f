// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

/// A refresh token that was replaced, and stands in its row again (hard case H5): an application wrote a whole row back, or the database
/// went back in time.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineSpentTests {
    private let one = UserID("1")
    private let fast = EngineConfiguration(maxPerSecond: 1000)

    /// An engine whose account had its refresh token replaced: `r1` by `r2`.
    private func rotated() async -> EngineFixture {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" && fixture.token(of: one) == "a1" }
        return fixture
    }

    private func memory(spent: [String], of token: String) -> GrantMemory {
        GrantMemory(
            status: .active,
            grantVersion: RecordingStore.version(of: token),
            generation: 3,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: nil,
            lifetime: nil,
            spent: spent.map(RecordingStore.version)
        )
    }

    @Test func h5ASpentRefreshTokenIsNotSentAndItsSuccessorIsPutBack() async {
        let fixture = await rotated()
        fixture.store[one]?.refreshToken = "r1"
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0 && fixture.token(of: one) == "a1", "nobody lost a token by it")
        await fixture.advance(by: .seconds(540))
        #expect(await fixture.endpoint.nextCall().refreshToken == Secret("r2"))
    }

    /// Nobody is told of it before the refresh is due.
    @Test func h5ItIsNotSentEitherWhenItIsFoundUnderTheClaim() async {
        let fixture = await rotated()
        fixture.store[one]?.refreshToken = "r1"
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        #expect(call.refreshToken == Secret("r2") && fixture.store[one]?.refreshToken == "r2")
    }

    @Test func h5ARowThatIsGoneAndBackWithASpentOneIsMendedToo() async {
        let fixture = await rotated()
        fixture.store[one] = nil
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.engine.entry(for: one) == nil }
        fixture.store[one] = .init(refreshToken: "r1")
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        #expect(await fixture.endpoint.nextCall().refreshToken == Secret("r2"))
    }

    /// What the row's own memory says counts also where there is no room to remember it.
    @Test(arguments: [0, 50_000])
    func h5WhereAnotherDaemonReplacedItTheRowIsLeftAloneAndToldOf(room: Int) async throws {
        var row = RecordingStore.Row(refreshToken: "r1")
        row.memory = memory(spent: ["r1", "r0"], of: "r2")
        let fixture = EngineFixture([one: row], EngineConfiguration(maxPerSecond: 1000, keptGrants: room))
        await fixture.start()
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        let report = try #require(await fixture.engine.report(on: one))
        #expect(report.status == .unreadable && report.lastError?.contains("is spent") == true)
        #expect(fixture.store[one]?.refreshToken == "r1")
        // The daemon that has the successor puts it back; or somebody connects the account again.
        fixture.store[one]?.refreshToken = "r2"
        fixture.store.tell(.users([one]))
        #expect(await fixture.endpoint.nextCall().refreshToken == Secret("r2"))
    }

    /// What the daemon had written down goes back with the rows; what it has in its memory does not.
    @Test func h5ADatabaseThatWentBackInTimeIsKnownByWhatOtherDaemonsToldBefore() async {
        var row = RecordingStore.Row(refreshToken: "r2")
        row.memory = memory(spent: ["r1"], of: "r2")
        let fixture = EngineFixture([one: row], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        fixture.store[one] = .init(refreshToken: "r1")
        fixture.store.tell(.users([one]))
        await fixture.settled { await fixture.engine.report(on: one)?.status == .unreadable }
        #expect(fixture.endpoint.unseen == 0)
    }

    /// Users come and go for as long as the daemon is up.
    @Test func h30OfRowsThatAreGoneOnlyTheLastAreKnown() async {
        var spent = SpentGrants(limit: 100_000, seal: .standIn)
        for number in 0..<1000 {
            let user = UserID("\(number)")
            spent.came(user)
            spent.note(Int64(number), of: user, successor: Secret("r\(number)"))
            spent.left(user)
        }
        #expect(!spent.contains(743, of: UserID("743")) && spent.contains(744, of: UserID("744")))
        spent.came(UserID("744"))
        for number in 1000..<2000 {
            spent.note(Int64(number), of: UserID("\(number)"), successor: Secret("r"))
            spent.left(UserID("\(number)"))
        }
        #expect(spent.successor(of: UserID("744")) == Secret("r744"), "who came back is not forgotten")
        #expect(spent.successor(of: UserID("999")) == nil)
    }

    @Test func anotherGrantIsTakenUpAsEver() async {
        let fixture = await rotated()
        fixture.store[one]?.refreshToken = "by hand"
        fixture.store.tell(.users([one]))
        #expect(await fixture.endpoint.nextCall().refreshToken == Secret("by hand"))
    }
}
