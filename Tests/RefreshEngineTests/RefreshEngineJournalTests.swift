// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What goes to this host's disk, and when, on a provider that rotates refresh tokens.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineJournalTests {
    private let one = UserID("1")
    private let two = UserID("2")
    private let fast = EngineConfiguration(maxPerSecond: 1000)
    private let full = JournalFailure("reply-journal: No space left on device")
    private let away = StoreFailure(.unavailable, text: "connection refused")

    private func version(_ token: String) -> Int64 { RecordingStore.version(of: token) }

    /// What the process before was given.
    private func kept(_ token: String, rotated: String) -> TokenAnswer {
        TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: Moment.newYear, lifetime: .seconds(900)),
            newRefreshToken: Secret(rotated)
        )
    }

    /// An engine whose provider another daemon saw rotating.
    private func rotating(
        _ rows: [UserID: RecordingStore.Row],
        journal: RecordingJournal = RecordingJournal()
    ) async throws -> EngineFixture {
        let store = RecordingStore(rows)
        try await store.noteRotation(of: EngineFixture.client.name)
        return EngineFixture(store, fast, journal: journal)
    }

    @Test func h3WhereNothingRotatesTheDiskIsLeftAlone() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.store[one]?.accessToken == "a1" }
        #expect(fixture.journal.appended.count == 0)
    }

    @Test func h3AReplyIsOnDiskBeforeItIsUsed() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.journal.hold()
        let answer = fixture.answer("a1", rotated: "r2")
        call.answer(answer)
        #expect(
            await fixture.journal.appended.next() == [
                JournalEntry(user: one, usedVersion: version("r1"), .answer(answer))
            ]
        )
        await fixture.turn()
        #expect(fixture.token(of: one) == nil && fixture.store[one]?.refreshToken == "r1", "nothing comes of it before")
        fixture.journal.release()
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.store[one]?.refreshToken == "r2")
        #expect(await fixture.journal.settled.next() == one)
    }

    @Test func h3AnIntentIsOnDiskBeforeTheCallOnceTheProviderWasSeenToRotate() async throws {
        let fixture = try await rotating([one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")])
        await fixture.start()
        #expect(
            Set(await fixture.journal.appended.next()) == [intent(one, "r1"), intent(two, "r2")],
            "at the start too"
        )
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) != nil && fixture.token(of: two) != nil }
        fixture.journal.hold()
        await fixture.advance(by: .seconds(540))
        let intents = await fixture.journal.appended.next()
        #expect(Set(intents) == [intent(one, "r1"), intent(two, "r2")], "one group for both")
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        fixture.journal.release()
        _ = await fixture.endpoint.nextCall()
        #expect(Set(fixture.journal.open.values) == [intent(one, "r1"), intent(two, "r2")])
    }

    private func intent(_ user: UserID, _ token: String, after last: WallTime? = nil) -> JournalEntry {
        JournalEntry(user: user, usedVersion: version(token), .intent(lastRefreshedAt: last))
    }

    /// An engine whose provider rotates and whose account has a token of 900 s.
    private func served() async throws -> EngineFixture {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.journal.open.isEmpty && fixture.store[one]?.refreshToken == "r2" }
        return fixture
    }

    @Test func h1AnIntentStaysOpenUntilTheOutcomeIsKnown() async throws {
        let fixture = try await served()
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).fail(RefreshFailure(.timeout, text: "no reply"))
        await fixture.turn()
        #expect(fixture.journal.open[one] == intent(one, "r2"))
        for _ in 0..<2 {
            let again = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
            again.fail(RefreshFailure(.grantRefused, text: "invalid_grant"))
        }
        await fixture.settled { await fixture.engine.report(on: one)?.status == .unknownOutcome }
        #expect(fixture.token(of: one) == "a1", "the token at hand is handed out while it lives")
        await fixture.settled { fixture.journal.open.isEmpty }
        var note = await fixture.store.notes.next()
        while note.status != .unknownOutcome { note = await fixture.store.notes.next() }
        #expect(note.grantVersion == version("r2"))
    }

    @Test func h4WhatIsInTheJournalIsHandedOutWhileTheDatabaseIsAway() async throws {
        let fixture = try await served()
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        fixture.store.fail(with: away)
        call.answer(fixture.answer("a2", rotated: "r3"))
        await fixture.settled { fixture.token(of: one) == "a2" }
        guard case .answer? = fixture.journal.open[one]?.content else {
            Issue.record("it is in the journal")
            return
        }
        for _ in 0..<100 {
            await fixture.advance(by: .seconds(20))
            await fixture.turn()
        }
        #expect(fixture.endpoint.unseen == 0, "no refresh is made of the old state")
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.store[one]?.refreshToken == "r3"
        }
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(next.refreshToken == Secret("r3"), "the token has died meanwhile")
        next.answer(fixture.answer("a3"))
        await fixture.settled { fixture.token(of: one) == "a3" && fixture.journal.open.isEmpty }
    }

    @Test func h8WithAFullDiskOnlyWhatIsAboutToDieIsRefreshed() async throws {
        let log = InMemoryLogHandler()
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast, log: log)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.journal.open.isEmpty && fixture.store[one]?.refreshToken == "r2" }
        fixture.journal.fail(with: full)
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(5)) }
        let left = fixture.clock.now.wall - Moment.newYear.wall
        #expect(left >= .seconds(870) && left < .seconds(900), "thirty seconds before the end, not at \(left)")
        #expect(await fixture.engine.report(on: one)?.status == .degraded)
        let told = log.entries.filter { $0.metadata["event"] == "journal.unavailable" }
        #expect(told.count == 1, "it is told once, not for each try")
        call.answer(fixture.answer("a2", rotated: "r3"))
        await fixture.settled { fixture.store[one]?.refreshToken == "r3" && fixture.token(of: one) == "a2" }
        fixture.journal.fail(with: nil)
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(5)) }
        #expect(log.entries.contains { $0.metadata["event"] == "journal.available" })
        next.answer(fixture.answer("a3"))
        await fixture.settled { fixture.token(of: one) == "a3" }
    }

    @Test func h8AnAnswerThatTheDiskRefusedIsOfferedAgainWhileTheDatabaseIsAway() async throws {
        let fixture = try await served()
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        fixture.journal.fail(with: full)
        fixture.store.fail(with: away)
        call.answer(fixture.answer("a2", rotated: "r3"))
        for _ in 0..<10 {
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
        }
        #expect(fixture.token(of: one) == "a1", "it is nowhere yet")
        fixture.journal.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.token(of: one) == "a2"
        }
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.store[one]?.refreshToken == "r3"
        }
        await fixture.settled { fixture.journal.open.isEmpty }
    }

    @Test func h8AnAccountWithoutATokenIsNotKeptWaitingForTheDisk() async throws {
        let journal = RecordingJournal()
        let fixture = try await rotating([one: .init(refreshToken: "r1")], journal: journal)
        journal.fail(with: full)
        await fixture.start()
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(await journal.appended.next() == [intent(one, "r1")], "it was tried")
        call.answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.token(of: one) == "a1" }
    }

    @Test func h3ARestartTakesUpTheReplyThatTheDatabaseDoesNotHave() async throws {
        let kept = kept("a2", rotated: "r2")
        let journal = RecordingJournal(
            RecoveredJournal(entries: [JournalEntry(user: one, usedVersion: version("r1"), .answer(kept))])
        )
        let fixture = try await rotating([one: .init(refreshToken: "r1")], journal: journal)
        await fixture.start()
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        #expect(fixture.token(of: one) == "a2")
        #expect(fixture.endpoint.unseen == 0, "the old refresh token is not sent")
        await fixture.settled { journal.open.isEmpty }
    }

    @Test func h21WhatTheJournalHasOfAnotherGrantIsDropped() async throws {
        let kept = kept("old", rotated: "old")
        let journal = RecordingJournal(
            RecoveredJournal(entries: [
                JournalEntry(user: one, usedVersion: version("r1"), .answer(kept)),
                JournalEntry(user: UserID("gone"), usedVersion: version("r1"), .answer(kept)),
            ])
        )
        let fixture = try await rotating([one: .init(refreshToken: "by hand")], journal: journal)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        #expect(call.refreshToken == Secret("by hand"))
        #expect(fixture.store[one]?.refreshToken == "by hand")
        #expect(journal.open[UserID("gone")] != nil, "its row may be there again")
        call.answer(fixture.answer("a1"))
    }

    @Test func h3ACallThatWasUnderWayIsTriedAtOnceAndItsRefusalIsNoRevocation() async throws {
        let journal = RecordingJournal(RecoveredJournal(entries: [intent(one, "r1")]))
        let fixture = try await rotating([one: .init(refreshToken: "r1")], journal: journal)
        await fixture.start()
        for _ in 0..<2 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
            call.fail(RefreshFailure(.grantRefused, text: "invalid_grant"))
        }
        await fixture.settled { await fixture.engine.report(on: one)?.status == .unknownOutcome }
    }

    /// The row is as another daemon left it, or this one before it could strike out the intent.
    @Test(arguments: [true, false]) func h3AnIntentIsMootOnceTheRowHasALaterRefresh(isLater: Bool) async throws {
        let before = Moment.newYear.wall + .seconds(-600)
        var row = RecordingStore.Row(
            refreshToken: "r1",
            accessToken: "a1",
            expiresAt: Moment.newYear.wall + .seconds(890)
        )
        row.memory = GrantMemory(
            status: .active,
            grantVersion: version("r1"),
            generation: 2,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: isLater ? Moment.newYear.wall + .seconds(-10) : before,
            lifetime: .seconds(900)
        )
        let journal = RecordingJournal(RecoveredJournal(entries: [intent(one, "r1", after: before)]))
        let fixture = try await rotating([one: row], journal: journal)
        await fixture.start()
        if isLater {
            await fixture.settled { journal.open.isEmpty }
            #expect(fixture.endpoint.unseen == 0 && fixture.token(of: one) == "a1")
        } else {
            #expect(
                await fixture.endpoint.nextCall().refreshToken == Secret("r1"),
                "nothing is known of the call's outcome"
            )
        }
    }

    @Test func h21ARowThatComesBackWithAnotherGrantWaitsForTheCallUnderWay() async throws {
        let fixture = try await served()
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        fixture.store[one] = nil
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.engine.entry(for: one) == nil }
        fixture.store[one] = .init(refreshToken: "by hand")
        fixture.store.tell(.users([one]))
        await fixture.settled {
            await fixture.engine.report(on: one)?.lastError == "an earlier call for this user has not ended"
        }
        #expect(fixture.endpoint.unseen == 0)
        #expect(fixture.store.ends.count == 0, "the claim is what keeps the other daemons from a second call")
        call.answer(fixture.answer("a2", rotated: "r3"))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(next.refreshToken == Secret("by hand"))
        next.answer(fixture.answer("a3"))
        await fixture.settled { fixture.token(of: one) == "a3" }
        #expect(fixture.store[one]?.refreshToken == "by hand", "what came of the grant before is not put in its place")
    }

    @Test func h21ARowThatIsGoneAndBackWhileTheCallIsUnderWayLosesNothing() async throws {
        let fixture = try await served()
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        let row = fixture.store[one]
        fixture.store[one] = nil
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.engine.entry(for: one) == nil }
        fixture.store[one] = row
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.engine.entry(for: one) != nil }
        #expect(fixture.journal.open[one] == intent(one, "r2"), "the call is under way still")
        call.answer(fixture.answer("a2", rotated: "r3"))
        await fixture.settled { fixture.store[one]?.refreshToken == "r3" && fixture.token(of: one) == "a2" }
        await fixture.settled { fixture.journal.open.isEmpty }
    }

    @Test func h21AnotherGrantThatComesWhileTheDiskIsWaitedForIsNotUndone() async throws {
        let fixture = try await served()
        fixture.journal.hold()
        await fixture.advance(by: .seconds(540))
        _ = await fixture.journal.appended.next()
        fixture.store[one] = .init(refreshToken: "by hand")
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.token(of: one) == nil }
        fixture.journal.release()
        await fixture.turn()
        #expect(fixture.token(of: one) == nil, "the former grant's token is not there again")
        fixture.journal.release()
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(call.refreshToken == Secret("by hand"))
    }

    /// An engine that could not read its journal, and has gone on without: it may hold what nobody else has, and was tried again before
    /// anything was served.
    private func ready(without journal: RecordingJournal) async throws -> EngineFixture {
        journal.failReading(with: full)
        let row = RecordingStore.Row(
            refreshToken: "r1",
            accessToken: "a1",
            expiresAt: Moment.newYear.wall + .seconds(800)
        )
        let fixture = try await rotating([one: row], journal: journal)
        await fixture.engine.start(fixture.alarm)
        for _ in 0..<20 where !fixture.engine.isReady {
            await fixture.advance(by: .seconds(5))
            await fixture.turn()
        }
        return fixture
    }

    @Test func aJournalThatCannotBeReadDoesNotKeepTheDaemonFromServing() async throws {
        let journal = RecordingJournal()
        let fixture = try await ready(without: journal)
        #expect(fixture.token(of: one) == "a1")
        let told = fixture.log.entries.filter { $0.metadata["event"] == "journal.unread" }.map(\.level)
        #expect(told == [.warning, .error], "once at first, and once more when it is gone on without")
    }

    /// As when the process that held it has ended since, or its disk is back.
    @Test func h3AJournalThatCanBeReadOnlyLaterCountsThen() async throws {
        let kept = kept("a2", rotated: "r2")
        let journal = RecordingJournal(
            RecoveredJournal(entries: [JournalEntry(user: one, usedVersion: version("r1"), .answer(kept))])
        )
        let fixture = try await ready(without: journal)
        #expect(fixture.engine.isReady && fixture.store[one]?.refreshToken == "r1")
        journal.failReading(with: nil)
        await fixture.advance(by: .seconds(60))
        await fixture.settled { fixture.token(of: one) == "a2" }
        await fixture.advance(by: .seconds(1))
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        #expect(fixture.endpoint.unseen == 0, "the spent refresh token is not sent")
    }

    @Test func h3AJournalThatCanBeReadAtTheSecondTryIsRead() async throws {
        let kept = kept("a2", rotated: "r2")
        let journal = RecordingJournal(
            RecoveredJournal(entries: [JournalEntry(user: one, usedVersion: version("r1"), .answer(kept))])
        )
        journal.failReading(with: full)
        let fixture = try await rotating([one: .init(refreshToken: "r1")], journal: journal)
        await fixture.engine.start(fixture.alarm)
        await fixture.turn()
        #expect(!fixture.engine.isReady && fixture.store.count("load") == 0)
        journal.failReading(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.store[one]?.refreshToken == "r2"
        }
        #expect(fixture.endpoint.unseen == 0 && fixture.token(of: one) == "a2")
    }
}
