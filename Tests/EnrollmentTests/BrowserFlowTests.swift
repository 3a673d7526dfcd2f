// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// Authorizations that were begun in a browser: they end in that one, and nothing is done twice (hard case H32).
@Suite(.timeLimit(.minutes(1))) struct BrowserFlowTests {
    private let fixture = FlowFixture()
    private let here = AuthorizationPlace.browser(Secret("this browser's cookie"))
    private let elsewhere = AuthorizationPlace.browser(Secret("another browser's cookie"))
    private let code = AuthorizationEnd.code(Secret("code"))

    @Test func h32AButtonPressedTwiceExchangesOneCode() async throws {
        let start = try await fixture.begin(here)
        async let first = fixture.finish(start.state, code, here)
        let call = await fixture.exchange.calls.next()
        async let second = fixture.finish(start.state, code, here)
        call.answer("new", at: fixture.base.clock.now)
        _ = await fixture.prove("a1")
        let answers = [await first, await second, await fixture.finish(start.state, code, here)]
        #expect(answers.allSatisfy { $0.failure == nil })
        #expect(fixture.row?.refreshToken == "new")
        #expect(fixture.exchange.calls.count == 0 && fixture.base.endpoint.unseen == 0)
        fixture.base.clock.advance(by: .seconds(600))
        #expect(await fixture.finish(start.state, code, here).failure?.kind == .invalidState)
    }

    @Test func h32WhatFailedForGoodIsToldAgain() async throws {
        let start = try await fixture.begin(here)
        async let first = fixture.finish(start.state, code, here)
        await fixture.exchange.calls.next().fail(RefreshFailure(.timeout, text: "no reply"))
        let failure = await first.failure
        #expect(failure?.kind == .unavailable)
        #expect(await fixture.finish(start.state, code, here).failure == failure)
    }

    @Test func whatMayGoBetterIsTriedAgain() async throws {
        let start = try await fixture.begin(here)
        async let first = fixture.finish(start.state, code, here)
        _ = await fixture.give("new")
        await fixture.base.endpoint.nextCall().fail(RefreshFailure(.gateway, text: "busy"))
        #expect(await first.failure?.kind == .unavailable)
        fixture.base.clock.advance(by: .seconds(5))
        async let second = fixture.finish(start.state, code, here)
        _ = await fixture.prove("a1")
        #expect(await second.failure == nil)
        #expect(await fixture.finish(start.state, code, here).failure == nil)
    }

    @Test func h32ALinkSentToAnotherBrowserIsNoneThereAndStaysGoodHere() async throws {
        let start = try await fixture.begin(here)
        for place in [elsewhere, .socket] {
            let looked = await fixture.failure {
                _ = try await fixture.flow.authorization(inState: start.state, from: place)
            }
            let finished = await fixture.finish(start.state, code, place).failure
            #expect(looked?.kind == .invalidState && finished?.kind == .invalidState)
            #expect(finished?.text.contains("browser") == true)
        }
        #expect(fixture.exchange.calls.count == 0)
        async let answer = fixture.finish(start.state, code, here)
        _ = await fixture.give("new")
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
        // Nor is another one told what came of it.
        #expect(await fixture.finish(start.state, code, elsewhere).failure?.kind == .invalidState)
    }

    @Test func h32StatesThatWereSwappedAreNoneForEither() async throws {
        let (mine, his) = (try await fixture.begin(here), try await fixture.begin(elsewhere))
        #expect(await fixture.finish(his.state, code, here).failure?.kind == .invalidState)
        #expect(await fixture.finish(mine.state, code, elsewhere).failure?.kind == .invalidState)
        #expect(fixture.table.begun.count == 2 && fixture.exchange.calls.count == 0)
    }

    @Test func h32WhatWasBegunOverTheSocketEndsThere() async throws {
        let start = try await fixture.begin(.socket)
        let failure = await fixture.finish(start.state, code, here).failure
        #expect(failure?.kind == .invalidState && failure?.text.contains("terminal") == true)
        #expect(fixture.table.begun.count == 1)
    }

    @Test func h32TwoTabsFinishOneAfterTheOther() async throws {
        let tabs = [try await fixture.begin(here), try await fixture.begin(here)]
        for (tab, token) in zip(tabs, ["n1", "n2"]) {
            async let answer = fixture.finish(tab.state, .code(Secret("code of \(token)")), here)
            _ = await fixture.give(token)
            _ = await fixture.prove("a of \(token)")
            #expect(await answer.failure == nil)
            #expect(fixture.row?.refreshToken == token)
            fixture.base.clock.advance(by: .seconds(5))
        }
    }

    @Test func lookingSpendsNothing() async throws {
        let start = try await fixture.begin(here)
        for _ in 1...3 {
            let subject = try await fixture.flow.authorization(inState: start.state, from: here)
            #expect(subject.user == fixture.user && subject.client == "default" && subject.environment == .sandbox)
        }
        #expect(fixture.table.begun.count == 1)
    }

    @Test func h32AnotherLoginThanBeforeIsSaid() async throws {
        func token(_ login: String) -> String { InventedGrant.token(of: login, "G-\(login)") }
        fixture.base.table.set(fixture.user, TableDouble.Row(refreshToken: token("U1"), accessToken: "a0"))
        let start = try await fixture.begin(here)
        async let answer = fixture.finish(start.state, code, here)
        _ = await fixture.give(token("U2"))
        _ = await fixture.prove("a1")
        #expect(await answer.notes?.contains { $0.contains("another TastyTrade login") } == true)
    }
}

/// Links that begin an authorization in the browser that opens them.
@Suite(.timeLimit(.minutes(1))) struct AuthorizationLinkTests {
    private let fixture = FlowFixture()
    private let browser = Secret("this browser's cookie")

    @Test func aLinkBeginsOnceHoweverOftenItIsLookedAt() async throws {
        let link = try await fixture.flow.makeAuthorizationLink(for: fixture.user, with: nil)
        #expect(link.expiresAt == fixture.base.clock.now.wall + .seconds(600))
        for _ in 1...3 {
            #expect(try await fixture.flow.authorization(byLink: link.token).user == fixture.user)
        }
        let start = try await fixture.flow.beginAuthorization(byLink: link.token, in: browser)
        // A second click of the same browser comes to the same; another browser to nothing.
        #expect(try await fixture.flow.beginAuthorization(byLink: link.token, in: browser) == start)
        let other = await fixture.failure {
            _ = try await fixture.flow.beginAuthorization(byLink: link.token, in: Secret("another browser's cookie"))
        }
        #expect(other?.kind == .invalidState && fixture.table.begun.count == 1)
        async let answer = fixture.finish(start.state, .code(Secret("code")), .browser(browser))
        _ = await fixture.give("new")
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
    }

    @Test func aLinkThatIsNoneOrTooOldSaysSo() async throws {
        let none = await fixture.failure { _ = try await fixture.flow.authorization(byLink: Secret("link")) }
        #expect(none?.kind == .invalidState && none?.text.contains("no longer be used") == true)
        let link = try await fixture.flow.makeAuthorizationLink(for: fixture.user, with: nil)
        fixture.table.expire()
        let late = await fixture.failure {
            _ = try await fixture.flow.beginAuthorization(byLink: link.token, in: browser)
        }
        #expect(late?.kind == .invalidState && late?.text.contains("too old") == true)
        #expect(fixture.table.begun.isEmpty)
    }

    @Test func aLinkIsForAnAccountAndAClientThatAreThere() async throws {
        let nobody = await fixture.failure {
            _ = try await fixture.flow.makeAuthorizationLink(for: UserID("7"), with: nil)
        }
        let noClient = await fixture.failure {
            _ = try await fixture.flow.makeAuthorizationLink(for: fixture.user, with: "second")
        }
        #expect([nobody?.kind, noClient?.kind] == [.unknownUser, .unknownClient])
        #expect(fixture.table.links == 0)
        fixture.base.table.add(ConnectorFixture.client())
        let link = try await fixture.flow.makeAuthorizationLink(for: fixture.user, with: "second")
        let subject = try await fixture.flow.authorization(byLink: link.token)
        #expect(subject.client == "second" && subject.environment == .production)
        #expect(subject.page == "https://my.tastytrade.com/auth.html")
    }
}
