// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import SocketAPI
import TestSupport
import Testing

@testable import WebPages

@Suite(.timeLimit(.minutes(1))) struct SignInTests {
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    @Test func aLinkIsShownAsOftenAsItIsOpenedAndWorksOnce() async throws {
        let token = try fixture.link()
        try await fixture.browse { browser async throws in
            for _ in 0..<3 {
                let page = try await browser.get("/console?t=\(token)")
                #expect(page.status == 200)
                try Markup.check(page.text, "link")
                #expect(page.text.contains("name=\"t\" value=\"\(token)\""))
            }
            try await browser.signIn(token)
            browser.cookie = nil
            #expect(try await browser.get("/console?t=\(token)").status == 410)
            let again = try await browser.post("/console", [("t", token)])
            #expect(again.status == 410)
            #expect(again.fields[.setCookie] == nil)
            #expect(again.text.contains("tastytoken console"))
        }
    }

    @Test func twoWhoUseALinkAtOnceGetOneSession() async throws {
        let token = try fixture.link()
        let door = fixture.pages.door
        let sessions = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 { group.addTask { door.spend(link: token) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(sessions == 1)
    }

    @Test func aLinkThatIsOverOrNoneIsOfNoUse() async throws {
        let token = try fixture.link()
        fixture.clock.advance(by: .seconds(60))
        try await fixture.browse { browser async throws in
            for token in [token, "x", "", "<script>"] {
                let page = try await browser.get("/console?t=\(PercentCoding.encode(token))")
                #expect(page.status == 410)
                #expect(!page.text.contains("<script>"))
                #expect(try await browser.post("/console", [("t", token)]).status == 410)
            }
        }
    }

    @Test func theCookieIsForThesePagesAlone() async throws {
        for (url, start, end) in [
            ("http://localhost", "tastytokend=", ""), ("https://localhost", "__Host-tastytokend=", "; Secure"),
        ] {
            let fixture = try PagesFixture(at: url)
            let token = try fixture.link()
            try await fixture.browse { browser async throws in
                let cookie = try #require(try await browser.post("/console", [("t", token)]).fields[.setCookie])
                #expect(cookie.hasPrefix(start))
                #expect(cookie.hasSuffix("; Path=/; Max-Age=1800; HttpOnly; SameSite=Strict" + end))
                #expect(!cookie.contains(token))
            }
        }
    }

    @Test(arguments: ["/", "/tastytrade/oauth/setup", "/tastytrade/oauth/grant"])
    func strangersAreToldHowToSignIn(path: String) async throws {
        try await fixture.browse { browser async throws in
            for cookie in [nil, "tastytokend=", "tastytokend=x", "__Host-tastytokend=x"] {
                browser.cookie = cookie
                let page = try await browser.get(path)
                #expect(page.status == 403)
                try Markup.check(page.text, "stranger")
                #expect(page.text.contains("tastytoken console"))
                if path != "/" { #expect(try await browser.post(path).status == 403) }
            }
        }
        #expect(fixture.enrolling.drafts.isEmpty && fixture.enrolling.pasted.isEmpty)
    }

    @Test func aSessionEndsAfterHalfAnHour() async throws {
        try await fixture.browseSignedIn { browser async throws in
            fixture.clock.advance(by: .seconds(1799))
            #expect(try await browser.get("/").status == 200)
            fixture.clock.advance(by: .seconds(1))
            #expect(try await browser.get("/").status == 403)
        }
    }

    @Test func signingOutEndsTheSessionWhereverItsCookieIs() async throws {
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get("/")
            #expect(try await browser.post("/console/end", token: "x").status == 403)
            let page = try await browser.post("/console/end")
            #expect(page.status == 200)
            #expect(page.fields[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await browser.get("/").status == 403)
        }
    }

    @Test func aFormOfAnotherSessionIsRefused() async throws {
        let other = try fixture.link()
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get("/tastytrade/oauth/setup")
            let foreign = browser.formToken
            try await browser.signIn(other)
            for token in [foreign, "", "x"] {
                for path in ["/tastytrade/oauth/setup", "/tastytrade/oauth/grant"] {
                    let values = [("name", "a"), ("user", "42"), ("refresh_token", "t")]
                    #expect(try await browser.post(path, values, token: token).status == 403)
                }
            }
        }
        #expect(fixture.enrolling.drafts.isEmpty && fixture.enrolling.pasted.isEmpty)
    }

    @Test func linksAndTokensAreInNoLogRecord() async throws {
        let token = try fixture.link()
        try await fixture.browse { browser async throws in
            try await browser.signIn(token)
            let records = fixture.log.entries.map { "\($0.message) \($0.metadata)" }.joined(separator: "\n")
            #expect(records.contains("somebody signed in"))
            #expect(!records.contains(token))
            let session = try #require(browser.cookie?.split(separator: "=").last)
            #expect(!records.contains(session))
        }
    }
}
