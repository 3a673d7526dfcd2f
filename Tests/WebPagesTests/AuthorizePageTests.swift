// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import TokenCore

@testable import WebPages

/// The way to TastyTrade's own page.
@Suite(.timeLimit(.minutes(1))) struct AuthorizePageTests {
    private let path = "/tastytrade/oauth/authorize"
    private let linked = "/tastytrade/oauth/authorize?t=link-of-the-double"
    private let site = "https://cert-my.staging-tasty.works"
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    private var subject: AuthorizationSubject {
        AuthorizationSubject(
            user: UserID("<i>42"),
            client: "second",
            environment: .production,
            page: "https://my.tastytrade.com/auth.html",
            redirectURI: "http://localhost/tastytrade/oauth/callback",
            scopes: ["read", "trade"]
        )
    }

    @Test func aLinkIsThePagesOwnWithTheToken() async throws {
        let pages: any PageLinking = fixture.pages
        let link = try await pages.makeAuthorizationLink(for: UserID("42"), with: "second")
        #expect(link.url == Secret("http://localhost" + linked))
        #expect(link.expiresAt == fixture.authorizing.start.expiresAt)
        #expect(fixture.authorizing.seen == [.subject(UserID("42"), "second"), .link(UserID("42"), "second")])
        let failure = EnrollmentFailure(.unknownUser, "There is no row of user 43.")
        fixture.authorizing.fail(with: failure)
        await #expect(throws: failure) { try await pages.makeAuthorizationLink(for: UserID("43"), with: nil) }
    }

    @Test func h32ALinkIsShownAsOftenAsItIsOpenedAndSpendsNothing() async throws {
        fixture.authorizing.concern(subject)
        try await fixture.browse { browser async throws in
            for method in ["GET", "HEAD", "GET"] {
                let fields: HTTPFields = [HTTPFields.Element.Name("Sec-Purpose")!: "prefetch"]
                let page = try await browser.send(linked, method, fields: fields, nil)
                #expect(page.status == 200)
            }
            let page = try await browser.get(linked)
            try Markup.check(page.text, "link")
            for words in [
                "Connect user &lt;i&gt;42", "<dd>second</dd>", "Production (real accounts)",
                "<code>https://my.tastytrade.com</code>", "Go on only if you asked for this yourself",
                "gives this service access to their TastyTrade account", "name=\"t\" value=\"link-of-the-double\"",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
            #expect(page.text.matches(of: /<button/).count == 1)
            // Nobody is known, and nobody is shown a way to where he could not go.
            #expect(!page.text.contains("Sign out"))
        }
        let looks = [AuthorizingDouble.Request](repeating: .look(link: Secret("link-of-the-double")), count: 4)
        #expect(fixture.authorizing.seen == looks)
    }

    @Test func theButtonOfALinkLeadsToTastyTrade() async throws {
        try await fixture.browse { browser async throws in
            browser.keep(try await browser.get(linked))
            let secret = try #require(browser.browserSecret)
            let reply = try await browser.post(path, [("t", "link-of-the-double")])
            #expect(reply.status == 303)
            #expect(reply.fields[.location] == fixture.authorizing.start.url.reveal())
            #expect(reply.text.isEmpty)
            browser.keep(reply)
            #expect(browser.browserSecret == secret)
            #expect(fixture.authorizing.seen.last == .beginByLink(Secret("link-of-the-double"), Secret(secret)))
        }
    }

    @Test(arguments: [
        ("http://localhost", "tastytokend-browser=", ""),
        ("https://localhost", "__Host-tastytokend-browser=", "; Secure"),
    ])
    func h32TheCookieComesAlongOnTheWayBackAndIsForThisHostAlone(url: String, start: String, end: String) async throws {
        let fixture = try PagesFixture(at: url)
        fixture.authorizing.concern(
            AuthorizationSubject(
                user: UserID("42"),
                client: "default",
                environment: .sandbox,
                page: "https://cert-my.staging-tasty.works/auth.html",
                redirectURI: "\(url)/tastytrade/oauth/callback",
                scopes: ["read", "trade"]
            )
        )
        try await fixture.browse { browser async throws in
            for reply in [try await browser.get(linked), try await browser.post(path, [("t", "link-of-the-double")])] {
                let cookie = try #require(reply.fields[.setCookie])
                #expect(cookie.hasPrefix(start))
                #expect(cookie.hasSuffix("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax" + end))
                let value = String(cookie.dropFirst(start.utf8.count).prefix { $0 != ";" })
                #expect(BrowserCookie.isWellFormed(value))
            }
        }
    }

    @Test(arguments: [
        "", "x", String(repeating: "a", count: 44), String(repeating: "ä", count: 21) + "a",
        "42 characters and a space are no secret ab",
    ])
    func aCookieThatIsNoneOfOursIsReplaced(value: String) async throws {
        try await fixture.browse { browser async throws in
            browser.cookie = "tastytokend-browser=\(value)"
            let reply = try await browser.post(path, [("t", "link-of-the-double")])
            #expect(reply.status == 303)
            browser.cookie = nil
            browser.keep(reply)
            let secret = try #require(browser.browserSecret)
            #expect(secret != value && BrowserCookie.isWellFormed(secret))
        }
    }

    @Test func h32TwoTabsAndASecondClickHaveOneCookie() async throws {
        try await fixture.browse { browser async throws in
            browser.keep(try await browser.get(linked))
            for _ in 0..<3 { browser.keep(try await browser.post(path, [("t", "link-of-the-double")])) }
            browser.keep(try await browser.get(linked))
            browser.keep(try await browser.post(path, [("t", "link-of-the-double")]))
            let secret = Secret(try #require(browser.browserSecret))
            let begun = fixture.authorizing.seen.filter { if case .beginByLink = $0 { true } else { false } }
            #expect(begun.count == 4)
            #expect(Set(begun) == [.beginByLink(Secret("link-of-the-double"), secret)])
        }
    }

    @Test func onlyThePageBeforeTastyTradeLetsItsFormLeadThere() async throws {
        let forms = "form-action 'self'"
        try await fixture.browseSignedIn { browser async throws in
            for (address, expected) in [
                (linked, "\(forms) \(site);"), (path + "?user=42", "\(forms) \(site);"), (path, "\(forms);"),
                (path + "?user=", "\(forms);"),
            ] {
                let page = try await browser.get(address)
                let policy = try #require(page.fields[.contentSecurityPolicy])
                #expect(policy.contains("; \(expected) frame-ancestors"), "\(address): \(policy)")
            }
            // An address that is none puts nothing into the policy.
            for page in ["https://a b;x/auth.html", "x", "https:///", "https://evil.example; script-src *"] {
                fixture.authorizing.concern(
                    AuthorizationSubject(
                        user: UserID("42"),
                        client: "default",
                        environment: .sandbox,
                        page: page,
                        redirectURI: "http://localhost/tastytrade/oauth/callback",
                        scopes: ["read", "trade"]
                    )
                )
                let policy = try await browser.get(linked).fields[.contentSecurityPolicy]
                #expect(policy?.contains("; \(forms); frame-ancestors") == true, "\(policy ?? "none")")
            }
        }
    }

    @Test func nobodyIsSentOffWhoWouldNotComeBackHere() async throws {
        fixture.authorizing.concern(
            AuthorizationSubject(
                user: UserID("42"),
                client: "rails",
                environment: .sandbox,
                page: "https://cert-my.staging-tasty.works/auth.html",
                redirectURI: "https://app.example/<callback>",
                scopes: ["read", "trade"]
            )
        )
        await #expect(throws: EnrollmentFailure.self) {
            try await fixture.pages.makeAuthorizationLink(for: UserID("42"), with: nil)
        }
        try await fixture.browseSignedIn { browser async throws in
            for address in [linked, path + "?user=42"] {
                let page = try await browser.get(address)
                #expect(page.status == 422 && page.fields[.setCookie] == nil)
                for words in ["https://app.example/&lt;callback&gt;", "http://localhost/tastytrade/oauth/callback"] {
                    #expect(page.text.contains(words), "\(address): \(words)")
                }
            }
        }
    }

    @Test func aLinkThatIsOfNoUseIsSaidInItsWords() async throws {
        let plain = EnrollmentFailure(.invalidState, "The link was used already: <ask> for another one.")
        let full = EnrollmentFailure(
            .invalidState,
            Explanation("The link was used", "It is good once.", do: "Ask for another.")
        )
        let away = EnrollmentFailure(.unavailable, "The database is away.", retryAfter: .milliseconds(4200))
        try await fixture.browse { browser async throws in
            for (failure, status, words) in [
                (plain, 410, ["This link is of no use", "The link was used already: &lt;ask&gt; for another one."]),
                (full, 410, ["The link was used", "It is good once.", "Ask for another."]),
                (away, 503, ["This cannot be done at the moment", "The database is away."]),
            ] {
                fixture.authorizing.failLooks(with: failure)
                fixture.authorizing.fail(with: failure)
                let shown = try await browser.get(linked)
                let pressed = try await browser.post(path, [("t", "link-of-the-double")])
                for page in [shown, pressed] {
                    #expect(page.status == status)
                    try Markup.check(page.text, "failure")
                    for words in words { #expect(page.text.contains(words), "\(words)") }
                    #expect(page.fields[.retryAfter] == (status == 503 ? "5" : nil))
                    #expect(page.fields[.setCookie] == nil)
                    #expect(page.fields[.location] == nil)
                }
            }
            // One that was not copied whole is a link all the same, and nobody is told to sign in for it.
            #expect(try await browser.get(path + "?t=").status == 503)
        }
    }

    @Test(arguments: [nil, "null", "https://localhost", "http://evil.example"])
    func whatComesFromElsewhereSpendsNoLink(origin: String?) async throws {
        try await fixture.browse { browser async throws in
            browser.origin = origin
            let page = try await browser.post(path, [("t", "link-of-the-double")])
            #expect(page.status == 403)
            #expect(page.fields[.setCookie] == nil)
        }
        #expect(fixture.authorizing.seen.isEmpty)
    }

    /// The client's redirect URI is changed after the button was shown: nobody is sent off who could not finish.
    @Test func theWayBackIsLookedAtOnceMoreWhenTheButtonIsPressed() async throws {
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(linked)
            _ = try await browser.get(path + "?user=42")
            fixture.authorizing.concern(
                AuthorizationSubject(
                    user: UserID("42"),
                    client: "second",
                    environment: .sandbox,
                    page: "https://cert-my.staging-tasty.works/auth.html",
                    redirectURI: "https://elsewhere.example/callback",
                    scopes: ["read", "trade"]
                )
            )
            for fields in [[("t", "link-of-the-double")], [("user", "42"), ("client", "second")]] {
                let page = try await browser.post(path, fields)
                #expect(page.status == 422 && page.fields[.location] == nil, "\(fields)")
                #expect(page.text.contains("https://elsewhere.example/callback"), "\(page.text)")
            }
        }
        let begun = fixture.authorizing.seen.filter {
            switch $0 {
            case .begin, .beginByLink: true
            default: false
            }
        }
        #expect(begun.isEmpty)
    }

    /// Its second click comes when the link is spent, and leads where the first one led.
    @Test func aSpentLinkIsForThePortToJudge() async throws {
        fixture.authorizing.failLooks(with: EnrollmentFailure(.invalidState, "It was used."))
        try await fixture.browse { browser async throws in
            #expect(try await browser.post(path, [("t", "link-of-the-double")]).status == 303)
            fixture.authorizing.failLooks(with: EnrollmentFailure(.unavailable, "Away."))
            #expect(try await browser.post(path, [("t", "link-of-the-double")]).status == 503)
        }
    }

    @Test func neitherLinkNorStateNorCookieIsInALogRecord() async throws {
        try await fixture.browse { browser async throws in
            browser.keep(try await browser.get(linked))
            _ = try await browser.post(path, [("t", "link-of-the-double")])
            let records = fixture.records
            let secret = try #require(browser.browserSecret)
            for text in ["of-the-double", secret] { #expect(!records.contains(text)) }
        }
    }
}
