// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

/// A walk through a hundred thousand accounts, page by page, as `GET /v1/users` makes it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RefreshEngineWalkTests {
    private static let count = 100_000
    private static let limit = 1000
    /// No turn of the engine may look at more (RefreshEngine+Reporting).
    private static let mostPerTurn = 4096
    private static let listed = Set(GrantStatus.allCases).subtracting([.noGrant])

    /// Every fourth account has no grant.
    private func engine() async -> EngineFixture {
        let live = Moment.newYear.wall + .seconds(800)
        let rows = (1...Self.count).map { number -> (UserID, RecordingStore.Row) in
            let grant = number.isMultiple(of: 4) ? nil : "r\(number)"
            return (Self.user(number), .init(refreshToken: grant, accessToken: "a", expiresAt: live))
        }
        let fixture = EngineFixture(Dictionary(uniqueKeysWithValues: rows))
        await fixture.start()
        return fixture
    }

    private static func user(_ number: Int) -> UserID { UserID("\(number)") }

    private struct Walk {
        var users: [UserID] = []
        var pages = 0
        /// Accounts that single turns looked at.
        var looks: [Int] = []
    }

    /// Asks as the socket does: turn after turn until a page is full, page after page.
    private func walk(
        _ engine: RefreshEngine,
        _ statuses: Set<GrantStatus>,
        afterPage: (Int) async -> Void = { _ in }
    ) async -> Walk {
        var walk = Walk()
        var next: Int? = 0
        while let first = next {
            var query = ReportQuery(start: first, limit: Self.limit, statuses: statuses, users: nil)
            next = first
            while let start = next, query.limit > 0 {
                query.start = start
                let turn = await engine.reports(query)
                walk.users += turn.reports.map(\.user)
                walk.looks.append((turn.next ?? Self.count) - start)
                query.limit -= turn.reports.count
                next = turn.next
            }
            walk.pages += 1
            await afterPage(walk.pages)
        }
        return walk
    }

    @Test func everyAccountComesOnceAndInOrderWhateverIsAskedFor() async {
        let fixture = await engine()
        let all = await walk(fixture.engine, Set(GrantStatus.allCases))
        #expect(all.users.count == Self.count && Set(all.users).count == Self.count)
        #expect(all.pages == 100)
        #expect(all.looks.allSatisfy { $0 == Self.limit }, "a page costs what it shows, wherever it begins")

        let listed = await walk(fixture.engine, Self.listed)
        let rest = await walk(fixture.engine, [.noGrant])
        #expect(listed.users.count == 75_000 && rest.users.count == 25_000)
        #expect(Set(listed.users).isDisjoint(with: rest.users))
        let isRest = Set(rest.users)
        #expect(all.users.filter { !isRest.contains($0) } == listed.users, "in the same order")
        #expect(all.users.filter(isRest.contains) == rest.users)

        let none = await walk(fixture.engine, [.degraded])
        #expect(none.users.isEmpty && none.pages == 1)
        for walk in [listed, rest, none] { #expect(walk.looks.allSatisfy { $0 > 0 && $0 <= Self.mostPerTurn }) }
        #expect(none.looks.reduce(0, +) == Self.count && rest.looks.reduce(0, +) == Self.count)
    }

    @Test func whoStaysComesOnceThoughOthersComeAndGo() async {
        let fixture = await engine()
        let walk = await walk(fixture.engine, Set(GrantStatus.allCases)) { page in
            // One leaves of those that were passed, one of those to come, and somebody new takes a slot.
            let leaving = [page * 10, Self.count - page * 10].map(Self.user)
            let coming = UserID("new \(page)")
            for user in leaving { fixture.store[user] = nil }
            fixture.store[coming] = .init(refreshToken: "r")
            fixture.store.tell(.users(Set(leaving + [coming])))
            await fixture.settled {
                guard await fixture.engine.report(on: leaving[0]) == nil else { return false }
                return await fixture.engine.report(on: coming) != nil
            }
        }
        let left = Set((1...walk.pages).flatMap { [$0 * 10, Self.count - $0 * 10] })
        let stayed = Set((1...Self.count).filter { !left.contains($0) }.map(Self.user))
        let seen = walk.users.filter(stayed.contains)
        #expect(seen.count == stayed.count && Set(seen) == stayed)
        #expect(walk.users.count - seen.count <= left.count + walk.pages, "and of the others, none twice")
    }

    /// Nothing is kept between two turns, so that whatever comes up is done between them.
    @Test func readersAndTheScheduleAreServedInTheMiddleOfAWalk() async {
        let fixture = await engine()
        fixture.clock.advance(by: .seconds(700))
        await fixture.engine.alarmRang()
        var answered = 0
        _ = await walk(fixture.engine, [.degraded, .active, .refreshing]) { _ in
            guard answered < 5 else { return }
            answered += 1
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
            call.answer(fixture.answer("new"))
            let user = UserID(call.refreshToken.reveal().replacing("r", with: ""))
            await fixture.settled { fixture.token(of: user) == "new" }
        }
        #expect(answered == 5)
    }
}
