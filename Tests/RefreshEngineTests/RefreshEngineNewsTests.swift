// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What the database tells of changes acts at once.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineNewsTests {
    private let one = UserID("1")
    private let two = UserID("2")
    private let life = Moment.newYear.wall + .seconds(900)

    private func started() async -> EngineFixture {
        let fixture = EngineFixture([
            one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: life),
            two: .init(refreshToken: "r2", accessToken: "b0", expiresAt: life),
        ])
        await fixture.start()
        return fixture
    }

    @Test func aRowThatIsNamedIsReadAgainWithoutAPass() async {
        let fixture = await started()
        fixture.store[one] = .init(refreshToken: "r1", accessToken: "a1", expiresAt: life + .seconds(60))
        fixture.store[two] = nil
        fixture.store.tell(.users([one, two, UserID("nobody")]))
        await fixture.settled { fixture.token(of: one) == "a1" && fixture.engine.entry(for: two) == nil }
        #expect(fixture.store.count("changes") == 0)
    }

    @Test func anAddedUserIsKnownAtOnce() async {
        let fixture = await started()
        fixture.store[UserID("3")] = .init(refreshToken: "r3", accessToken: "c0", expiresAt: life)
        fixture.store.tell(.users([UserID("3")]))
        await fixture.settled { fixture.token(of: UserID("3")) == "c0" }
    }

    @Test func whatIsNotNamedIsFoundByAPassAtOnce() async {
        let fixture = await started()
        fixture.store[one] = nil
        fixture.store.tell(.unknown)
        _ = await fixture.store.passes.next()
        await fixture.settled { fixture.engine.entry(for: one) == nil }
    }

    @Test func newsDuringAPassAskForOneMoreASecondLaterAndForNoneBesides() async {
        let fixture = await started()
        fixture.store.hold("changes")
        fixture.store.tell(.unknown)
        fixture.store.tell(.unknown)
        fixture.store.tell(.unknown)
        await fixture.turn()
        fixture.store.release("changes")
        _ = await fixture.store.passes.next()
        await fixture.turn()
        #expect(fixture.store.count("changes") == 1)
        fixture.store.release("changes")
        await fixture.advance(by: .seconds(1))
        _ = await fixture.store.passes.next()
        fixture.store.release("changes")
        await fixture.advance(by: .seconds(58))
        await fixture.turn()
        #expect(fixture.store.count("changes") == 2)
    }

    @Test func afterALongPassTheNextOutOfTurnWaitsForAMultipleOfIt() async {
        let fixture = await started()
        fixture.store.hold("changes")
        fixture.store.tell(.unknown)
        await fixture.turn()
        fixture.clock.advance(by: .seconds(5))
        fixture.store.release("changes")
        _ = await fixture.store.passes.next()
        await fixture.turn()
        fixture.store.tell(.unknown)
        await fixture.turn()
        await fixture.advance(by: .seconds(19))
        await fixture.turn()
        #expect(fixture.store.count("changes") == 1)
        fixture.store.release("changes")
        await fixture.advance(by: .seconds(1))
        _ = await fixture.store.passes.next()
    }

    @Test func newsOfMoreRowsThanCanBeReadOneByOneAskForAPass() async {
        let fixture = await started()
        fixture.store[one] = nil
        fixture.store.hold("rows")
        fixture.store.tell(.users([UserID("first")]))
        await fixture.settled { fixture.store.count("rows") == 1 }
        for part in 0..<2 { fixture.store.tell(.users(Set((0..<6000).map { UserID("\(part)-\($0)") }))) }
        _ = await fixture.store.passes.next()
        for _ in 0..<20 { fixture.store.release("rows") }
        await fixture.settled { fixture.engine.entry(for: one) == nil }
    }
}
