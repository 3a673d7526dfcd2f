// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What those who follow events are told, and when.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineEventTests {
    private let one = UserID("1")
    private let life = Moment.newYear.wall + .seconds(900)

    private func started() async -> EngineFixture {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: life)])
        await fixture.start()
        return fixture
    }

    private func kinds(_ fixture: EngineFixture, since start: EventPosition) -> [AccountEvent.Kind] {
        fixture.engine.events(from: start, atMost: 100).events.map(\.kind)
    }

    /// The refresh when it is due, and no time gone by for nothing.
    private func nextCall(_ fixture: EngineFixture) async -> ScriptedEndpoint.Call {
        await fixture.advance(by: .seconds(530))
        return await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
    }

    @Test func whatIsThereAtTheStartIsNoNews() async {
        let fixture = await started()
        #expect(fixture.engine.eventsEnd.seen == 0)
    }

    @Test func whoHearsOfATokenIsGivenIt() async {
        let fixture = await started()
        let start = fixture.engine.eventsEnd
        let woken = Mailbox<String?>()
        let waiter = fixture.engine.onEvent(after: start) { [fixture] in woken.send(fixture.token(of: one)) }
        #expect(waiter != nil)
        let call = await nextCall(fixture)
        call.answer(fixture.answer("a1"))
        #expect(await woken.next() == "a1", "it is handed out before it is told of")
        let event = fixture.engine.events(from: start, atMost: 100).events.first
        #expect(event?.kind == .tokenRefreshed && event?.user == one && event?.status == .active)
        #expect(event?.expiresAt == fixture.engine.entry(for: one)?.token?.life.expiresAt.wall)
        #expect(event?.failure == nil)
    }

    @Test func whoComesLateIsCalledAtOnceAndWhoLeavesIsNot() async {
        let fixture = await started()
        let start = fixture.engine.eventsEnd
        let left = Mailbox<Void>()
        if let waiter = fixture.engine.onEvent(after: start, { left.send(()) }) { fixture.engine.cancel(waiter) }
        fixture.store[one] = nil
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.engine.eventsEnd != start }
        let woken = Mailbox<Void>()
        #expect(fixture.engine.onEvent(after: start, { woken.send(()) }) == nil)
        await woken.next()
        #expect(left.count == 0)
    }

    @Test func usersWhoComeAndGoAreTold() async {
        let fixture = await started()
        let start = fixture.engine.eventsEnd
        let (two, none) = (UserID("2"), UserID("none"))
        fixture.store[two] = .init(refreshToken: "r2", accessToken: "b0", expiresAt: life)
        fixture.store[none] = .init(refreshToken: nil)
        fixture.store.tell(.users([two, none]))
        await fixture.settled { fixture.engine.entry(for: two) != nil && fixture.engine.entry(for: none) != nil }
        #expect(kinds(fixture, since: start) == [.grantAdded], "a row without a grant is none")
        fixture.store[two] = nil
        fixture.store[none] = nil
        fixture.store.tell(.users([two, none]))
        await fixture.settled { fixture.engine.entry(for: two) == nil && fixture.engine.entry(for: none) == nil }
        #expect(kinds(fixture, since: start) == [.grantAdded, .grantRemoved])
    }

    @Test func theDeathOfATokenIsToldAndLoggedByTheFailureAfterIt() async {
        let fixture = await started()
        let failure = RefreshFailure(.connect, text: "refused")
        await fixture.settled {
            await fixture.advance(by: .seconds(20))
            while fixture.endpoint.unseen > 0 { (await fixture.endpoint.nextCall()).fail(failure) }
            return await fixture.engine.report(on: one)?.status == .expired
        }
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(20)) }
        call.fail(failure)
        await fixture.settled {
            fixture.log.entries.contains { $0.metadata["grant.status"] == "expired" }
        }
        let statuses = fixture.engine.events(from: EventPosition(run: 0, seen: 0), atMost: 1000).events
            .filter { $0.kind == .statusChanged }.map(\.status)
        #expect(statuses == [.degraded, .expired])
        let told = fixture.log.entries.filter { $0.metadata["event"] == "status.changed" }
            .map { "\($0.metadata["grant.previous_status"] ?? "")>\($0.metadata["grant.status"] ?? "")" }
        #expect(told == ["active>degraded", "degraded>expired"])
    }
}
