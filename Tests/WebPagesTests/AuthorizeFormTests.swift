// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import TokenCore

@testable import WebPages

/// The way to TastyTrade's own page for an operator who is signed in.
@Suite(.timeLimit(.minutes(1))) struct AuthorizeFormTests {
    private let path = "/tastytrade/oauth/authorize"
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    @Test func asksWhoseAccountItIsAndChangesNothing() async throws {
        fixture.enrolling.clients(.success([EnrollingDouble.configured, EnrollingDouble.listing("second")]))
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path)
            #expect(page.status == 200)
            try Markup.check(page.text, "form")
            for words in [
                "<form class=\"panel\" method=\"get\" action=\"\(path)\">", "<option value=\"\" selected>",
                "<option value=\"second\">second</option>", "href=\"\(path)\" aria-current=\"page\"",
                "href=\"/tastytrade/oauth/grant\" aria-current=\"true\"",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
        }
        #expect(fixture.authorizing.seen.isEmpty)
    }

    @Test func whatIsShownIsWhatIsBegun() async throws {
        fixture.authorizing.concern(
            AuthorizationSubject(
                user: UserID("a/\"b\""),
                client: "second",
                environment: .sandbox,
                page: "http://127.0.0.1:9000/auth.html?x",
                redirectURI: "http://localhost/tastytrade/oauth/callback",
                scopes: ["read", "trade"]
            )
        )
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path + "?user=+a%2F%22b%22+&client=")
            #expect(page.status == 200)
            try Markup.check(page.text, "begin")
            #expect(page.text.contains("name=\"user\" value=\"a/&quot;b&quot;\""))
            #expect(page.text.contains("name=\"client\" value=\"second\""))
            #expect(page.text.contains("<dt>Asked for</dt><dd>read trade</dd>"))
            #expect(page.fields[.contentSecurityPolicy]?.contains("'self' http://127.0.0.1:9000;") == true)
            #expect(
                fixture.authorizing.seen == [.subject(UserID(" a/\"b\" "), nil)],
                "an id may have white space at its ends"
            )
            browser.keep(page)
            let reply = try await browser.post(path, [("user", "a/\"b\""), ("client", "second")])
            #expect(reply.status == 303)
            #expect(reply.fields[.location] == fixture.authorizing.start.url.reveal())
            let secret = Secret(try #require(browser.browserSecret))
            #expect(fixture.authorizing.seen.last == .begin(UserID("a/\"b\""), "second", .browser(secret)))
        }
    }

    @Test(arguments: [
        (EnrollmentFailure.Kind.unknownUser, 422, "user"), (.unknownClient, 422, "client"), (.invalid, 422, ""),
        (.noSealingKey, 409, ""), (.tooSoon, 429, ""), (.unavailable, 503, ""),
    ])
    func whyNobodyIsSentThereIsSaidInTheForm(kind: EnrollmentFailure.Kind, status: Int, field: String) async throws {
        let wait: Duration? = kind == .tooSoon ? .milliseconds(4200) : nil
        let failure = EnrollmentFailure(kind, "No <b>way</b>.", retryAfter: wait)
        fixture.authorizing.failLooks(with: failure)
        fixture.authorizing.fail(with: failure)
        try await fixture.browseSignedIn { browser async throws in
            let shown = try await browser.get(path + "?user=%3Ci%3E42&client=default")
            let pressed = try await browser.post(path, [("user", "<i>42"), ("client", "default")])
            for page in [shown, pressed] {
                #expect(page.status == status)
                try Markup.check(page.text, "failure")
                let words = "No &lt;b&gt;way&lt;/b&gt;."
                #expect(page.text.contains(field.isEmpty ? "<li>\(words)</li>" : "<a href=\"#\(field)\">\(words)</a>"))
                #expect(page.text.contains("value=\"&lt;i&gt;42\""))
                #expect(page.text.contains("<option value=\"default\" selected>"))
                #expect(page.fields[.retryAfter] == wait.map { _ in "5" })
                #expect(page.fields[.setCookie] == nil)
            }
        }
    }

    @Test func nothingIsAskedForNobody() async throws {
        try await fixture.browseSignedIn { browser async throws in
            let shown = try await browser.get(path + "?user=+&client=")
            for page in [shown, try await browser.post(path, [("user", " "), ("client", "")])] {
                #expect(page.status == 422)
                try Markup.check(page.text, "nobody")
                #expect(page.text.contains("<a href=\"#user\">Say whose account it is.</a>"))
            }
        }
        #expect(fixture.authorizing.seen.isEmpty)
    }

    @Test func strangersAndOtherFormsBeginNothing() async throws {
        try await fixture.browse { browser async throws in
            for page in [
                try await browser.get(path), try await browser.get(path + "?user=42"),
                try await browser.post(path, [("user", "42")]),
            ] {
                #expect(page.status == 403)
                try Markup.check(page.text, "stranger")
                #expect(page.text.contains("tastytoken console"))
                #expect(page.fields[.setCookie] == nil)
            }
        }
        try await fixture.browseSignedIn { browser async throws in
            for token in ["", "x"] {
                #expect(try await browser.post(path, [("user", "42")], token: token).status == 403)
            }
        }
        #expect(fixture.authorizing.seen.isEmpty)
    }

    @Test(arguments: ["/", "/tastytrade/oauth/setup"])
    func bothWaysToConnectAreTold(page: String) async throws {
        try await fixture.browseSignedIn { browser async throws in
            let text = try await browser.get(page).text
            try Markup.check(text, "\(page)")
            for words in [
                "href=\"/tastytrade/oauth/authorize\">On TastyTrade’s page</a>",
                "href=\"/tastytrade/oauth/grant\">By a grant made by hand</a>", "to the letter", "Create Grant",
            ] {
                #expect(text.contains(words), "\(words)")
            }
        }
    }
}
