// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

/// What callers may know of accounts.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineReportingTests {
    private let one = UserID("1")

    private func page(
        _ engine: RefreshEngine,
        from start: Int = 0,
        limit: Int = 10_000,
        _ statuses: Set<GrantStatus> = Set(GrantStatus.allCases),
        client: String? = nil,
        users: [UserID]? = nil
    ) async -> ReportPage {
        await engine.reports(
            ReportQuery(start: start, limit: limit, statuses: statuses, client: client, users: users)
        )
    }

    private func engine(of count: Int) async -> EngineFixture {
        let live = Moment.newYear.wall + .seconds(800)
        let rows = (1...count).map { number in
            (UserID("\(number)"), RecordingStore.Row(refreshToken: "r", accessToken: "a\(number)", expiresAt: live))
        }
        let fixture = EngineFixture(Dictionary(uniqueKeysWithValues: rows))
        await fixture.start()
        return fixture
    }

    @Test func everyAccountIsOnOnePageHoweverManyTurnsThatTakes() async {
        let fixture = await engine(of: 10_000)
        var seen: [UserID] = []
        var turns = 0
        var next: Int? = 0
        while let start = next {
            let page = await page(fixture.engine, from: start, limit: 100_000)
            seen += page.reports.map(\.user)
            next = page.next
            turns += 1
        }
        #expect(seen.count == 10_000 && Set(seen).count == 10_000)
        #expect(turns == 3, "no turn looks at all of them")
    }

    @Test func onlyThoseAreShownWhoAreAskedFor() async {
        let fixture = await engine(of: 20)
        let some = [UserID("19"), UserID("nobody"), UserID("7")]
        let page = await page(fixture.engine, users: some)
        #expect(page.reports.map(\.user.text) == ["19", "7"] && page.next == nil)
        #expect(await self.page(fixture.engine, [.degraded]).reports.isEmpty)
        #expect(await self.page(fixture.engine, limit: 5).reports.count == 5)
        let clients = await self.page(fixture.engine, client: "default").reports.map(\.client)
        #expect(clients.count == 20 && Set(clients) == ["default"])
        #expect(await self.page(fixture.engine, client: "second").reports.isEmpty)
        #expect(await self.page(fixture.engine, from: .max).reports.isEmpty)
    }

    @Test func whyAnAccountFailsIsExplained() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.clock.advance(by: .milliseconds(250))
        call.fail(RefreshFailure(.clientRefused, httpStatus: 401, code: "invalid_client", text: "no such client"))
        await fixture.settled { await fixture.engine.explanation(of: one)?.attempts.count == 1 }
        let explanation = try #require(await fixture.engine.explanation(of: one))
        #expect(explanation.report.status == .expired)
        #expect(
            explanation.reason
                == "The last refresh failed: no such client (invalid_client, HTTP 401). No refreshes are made for any account of the OAuth client default now: "
                + "the OAuth client is refused; check tastytrade.clientSecret and tastytrade.env."
        )
        #expect(explanation.remedy?.contains("tastytrade.clientSecret") == true)
        #expect(explanation.next?.why.contains("After a failure") == true)
        let attempt = RefreshAttempt(at: Moment.newYear.wall, milliseconds: 250, failure: .clientRefused)
        #expect(explanation.attempts == [attempt])
        #expect(await fixture.engine.explanation(of: UserID("nobody")) == nil)
    }

    @Test func tenAttemptsEachAreRememberedTheNewestFirst() {
        var log = AttemptLog(accounts: 2)
        func attempt(_ number: Int32, failed: Bool = false) -> RefreshAttempt {
            RefreshAttempt(at: Moment.newYear.wall, milliseconds: number, failure: failed ? .timeout : nil)
        }
        for number in 1...12 { log.add(attempt(Int32(number)), of: one) }
        #expect(log.attempts(of: one).map(\.milliseconds) == Array((3...12).reversed()))
        log.forget(one)
        #expect(log.attempts(of: one).isEmpty)
        log.add(attempt(1, failed: true), of: one)
        for number in 1...100 { log.add(attempt(1), of: UserID("well \(number)")) }
        #expect(log.attempts(of: one).count == 1, "those that do well do not crowd out the one that fails")
        let remembered = (1...100).filter { !log.attempts(of: UserID("well \($0)")).isEmpty }
        #expect(remembered.count <= 4 && remembered.contains(100))
    }

    @Test func everyStateHasWords() {
        for kind in RefreshFailure.Kind.allCases {
            var (machine, _) = GrantStateMachine.loaded(
                GrantRow(user: one, grant: .present(version: 1), accessToken: nil, expiresAt: nil, memory: nil),
                Occasion(now: .newYear, draw: 0.5, policy: RefreshPolicy())
            )
            let occasion = Occasion(now: .newYear, draw: 0.5, policy: RefreshPolicy())
            _ = machine.due(occasion)
            #expect(machine.reason(at: .newYear).contains("in line"))
            _ = machine.failed(RefreshFailure(kind, text: "words of \(kind)"), using: 1, occasion)
            #expect(machine.reason(at: .newYear).contains("words of \(kind)"))
        }
    }
}
