// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import TokenCore

@testable import WebPages

/// The way back from TastyTrade's own page.
@Suite(.timeLimit(.minutes(1))) struct CallbackPageTests {
    private let path = "/tastytrade/oauth/callback"
    private let begin = "/tastytrade/oauth/authorize"
    private let returned = "/tastytrade/oauth/callback?code=code-of-tastytrade&state=state-of-the-double"
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    private let values = [("code", PagesFixture.secret), ("state", "state-of-the-double")]

    /// A browser that went to TastyTrade.
    private func travel(_ body: @Sendable (inout Browser, Secret) async throws -> Void) async throws {
        try await fixture.browse { browser async throws in
            browser.keep(try await browser.post(begin, [("t", "link-of-the-double")]))
            let secret = Secret(try #require(browser.browserSecret))
            try await body(&browser, secret)
        }
        let records = fixture.records
        for text in ["of-the-double", "code-of-tastytrade"] { #expect(!records.contains(text)) }
    }

    private func finished(_ request: AuthorizingDouble.Request) -> Bool {
        if case .finish = request { true } else { false }
    }

    @Test func h32ComingBackIsShownAsOftenAsItIsOpenedAndSpendsNothing() async throws {
        try await travel { browser, secret async throws in
            let before = fixture.authorizing.seen.count
            for _ in 0..<3 {
                let page = try await browser.get(returned)
                #expect(page.status == 200)
                try Markup.check(page.text, "callback")
                for words in [
                    "<h1>Connect user 42</h1>", "<dd>default</dd>", "Sandbox (certification)",
                    "name=\"code\" value=\"code-of-tastytrade\"", "name=\"state\" value=\"state-of-the-double\"",
                    "<form method=\"post\" action=\"\(path)\">", "Go on only if you began this yourself",
                ] {
                    #expect(page.text.contains(words), "\(words)")
                }
                // In the form, and nowhere else.
                #expect(page.text.matches(of: /code-of-tastytrade|state-of-the-double/).count == 2)
                #expect(page.text.matches(of: /<button/).count == 1)
                #expect(!page.text.contains(secret.reveal()))
                // Nothing of another site is loaded, so that nobody is told of the address.
                #expect(page.text.matches(of: /(?:src|href|action)="[^\/#]/).isEmpty)
                #expect(page.fields[.contentSecurityPolicy] == ContentPolicy.text())
                #expect(page.fields[HTTPFields.Element.Name("Referrer-Policy")!] == "same-origin")
            }
            #expect(try await browser.send(returned, "HEAD", fields: [:], nil).status == 200)
            let looks = fixture.authorizing.seen.dropFirst(before)
            #expect(Set(looks) == [.pending(Secret("state-of-the-double"), .browser(secret))])
        }
    }

    @Test func theButtonConnectsTheAccount() async throws {
        fixture.authorizing.remark(["It does not <allow> openid."])
        try await travel { browser, secret async throws in
            _ = try await browser.get(returned)
            let page = try await browser.post(path, values)
            #expect(page.status == 200)
            try Markup.check(page.text, "connected")
            for words in [
                "The account of user 42 is connected", "<p class=\"note\">It does not &lt;allow&gt; openid.</p>",
                "Nothing has to be done",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
            #expect(!page.text.contains("state-of-the-double"))
            // Nobody is signed in, and nobody is shown a way to where he could not go.
            #expect(!page.text.contains("href=\"/\""))
            #expect(
                fixture.authorizing.seen.last
                    == .finish(Secret("state-of-the-double"), .code(Secret(PagesFixture.secret)), .browser(secret))
            )
        }
    }

    @Test func h32ADoubleClickAsksForTheSameTwice() async throws {
        try await travel { browser, _ async throws in
            _ = try await browser.get(returned)
            let pages = [try await browser.post(path, values), try await browser.post(path, values)]
            #expect(pages.map(\.status) == [200, 200])
            #expect(pages[0].text == pages[1].text)
        }
        let finishes = fixture.authorizing.seen.filter(finished)
        #expect(finishes.count == 2 && Set(finishes).count == 1)
    }

    @Test func whatMayGoBetterInAMomentHasItsButtonOnceMore() async throws {
        let failure = EnrollmentFailure(.unavailable, "The database <is> away.", retryAfter: .seconds(5))
        try await travel { browser, _ async throws in
            _ = try await browser.get(returned)
            fixture.authorizing.fail(with: failure)
            let values = [("code", "code-of-tastytrade"), ("state", "state-of-the-double")]
            let page = try await browser.post(path, values)
            #expect(page.status == 503 && page.fields[.retryAfter] == "5")
            try Markup.check(page.text, "not yet")
            for words in [
                "The database &lt;is&gt; away.", "again in 5 s", "name=\"code\" value=\"code-of-tastytrade\"",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
            fixture.authorizing.fail(with: nil)
            #expect(try await browser.post(path, values).status == 200)
        }
    }

    @Test func whoIsSignedInIsLedToTheAccounts() async throws {
        let token = try fixture.link()
        try await travel { browser, _ async throws in
            let cookie = try #require(browser.cookie)
            // From another site comes what is `Lax` alone.
            #expect(!(try await browser.get(returned)).text.contains("Sign out"))
            let formToken = browser.formToken
            try await browser.signIn(token)
            browser.cookie = "\(cookie); \(browser.cookie ?? "")"
            let page = try await browser.post(path, values, token: formToken)
            try Markup.check(page.text, "signed in")
            #expect(page.text.contains("href=\"/\">See all accounts</a>"))
            #expect(page.text.contains("Sign out"))
        }
    }

    @Test(arguments: AuthorizationError.allCases.map(\.rawValue) + ["<b>new_one</b>"])
    func h32EveryErrorHasItsWordsAndSpendsNothing(error: String) async throws {
        try await travel { browser, secret async throws in
            let page = try await browser.get(
                path + "?error=\(error.replacing("<", with: "%3C").replacing(">", with: "%3E"))"
                    + "&error_description=\(PagesFixture.secret)&state=state-of-the-double&code=code-of-tastytrade"
            )
            #expect(page.status == 200)
            try Markup.check(page.text, "\(error)")
            let explanation = Explanation(ofAuthorizationError: error, in: .sandbox)
            #expect(page.text.contains("<h1>\(explanation.title)</h1>"))
            #expect(page.text.contains("What to do") && page.text.contains("whoever sent it can make another one"))
            for text in ["state-of-the-double", "code-of-tastytrade", "<button", "<b>"] {
                #expect(!page.text.contains(text), "\(text)")
            }
            #expect(fixture.authorizing.seen.last == .pending(Secret("state-of-the-double"), .browser(secret)))
        }
        #expect(!fixture.authorizing.seen.contains(where: finished))
    }

    @Test(arguments: [
        ("", "It is not known what was begun"), ("?code=x", "It is not known what was begun"),
        ("?error=access_denied", "It is not known what was begun"), ("?state=x", "TastyTrade’s answer is missing"),
        ("?state=x&code=&error=", "TastyTrade’s answer is missing"), ("?state=x&state=x&code=x", "cannot be answered"),
        ("?code=x&state=" + String(repeating: "s", count: 257), "This is no answer of TastyTrade’s"),
        ("?state=x&code=" + String(repeating: "c", count: 4097), "This is no answer of TastyTrade’s"),
        ("?state=x&error=" + String(repeating: "e", count: 257), "This is no answer of TastyTrade’s"),
    ])
    func whatIsMissingOrTooMuchIsSaid(query: String, title: String) async throws {
        try await travel { browser, _ async throws in
            let page = try await browser.get(path + query)
            #expect(page.status == 400)
            try Markup.check(page.text, "\(query)")
            #expect(page.text.contains(title))
            _ = try await browser.get(returned)
            let seen = fixture.authorizing.seen
            let values = query.dropFirst().split(separator: "&").map { $0.split(separator: "=") }
            let form = values.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }
            #expect(try await browser.post(path, form).status == 400)
            #expect(fixture.authorizing.seen == seen)
        }
    }

    @Test func h32AnotherBrowserIsToldWhyItCannotFinish() async throws {
        try await fixture.browse { browser async throws in
            for cookie in [nil, "tastytokend-browser=x", "tastytokend=x"] {
                browser.cookie = cookie
                for page in [try await browser.get(returned), try await browser.post(path, values)] {
                    #expect(page.status == 403)
                    try Markup.check(page.text, "no cookie")
                    #expect(page.text.contains("This browser did not begin it"))
                    #expect(page.text.contains("its cookies are off"))
                    #expect(page.fields[.setCookie] == nil)
                }
            }
        }
        #expect(fixture.authorizing.seen.isEmpty)
    }

    @Test func whatMayGoBetterHasItsButtonOnceMoreWithoutTheDatabasesWords() async throws {
        let away = EnrollmentFailure(
            .unavailable,
            "connection to server at canary-host failed",
            explanation: Explanation("The database does not answer", "Nothing was changed.", do: "Try again."),
            retryAfter: .seconds(5)
        )
        try await travel { browser, _ async throws in
            _ = try await browser.get(returned)
            fixture.authorizing.fail(with: away)
            let fields = [("code", "code-of-tastytrade"), ("state", "state-of-the-double")]
            let page = try await browser.post(path, fields)
            #expect(page.status == 503 && page.fields[.retryAfter] == "5")
            for words in [
                "It is not connected yet", "The database does not answer: Nothing was changed.",
                "Press the button again in 5 s.", "Connect the account",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
            #expect(!page.text.contains("canary-host"))
        }
    }

    @Test func h32AStateThatIsSpentOverOrAnothersIsSaidInItsWords() async throws {
        let away = EnrollmentFailure(.unavailable, "The database is away.", retryAfter: .seconds(5))
        let declined = EnrollmentFailure(
            .grantRefused,
            Explanation("TastyTrade refused it", "It was.", do: "Begin again.")
        )
        try await travel { browser, _ async throws in
            _ = try await browser.get(returned)
            for (failure, status, title) in [
                (
                    EnrollmentFailure(.invalidState, "It was <begun> over the socket."), 410,
                    "There is nothing to finish here"
                ),
                (away, 503, "This cannot be done at the moment"), (declined, 422, "TastyTrade refused it"),
                (EnrollmentFailure(.unknownUser, "There is no row."), 422, "The account was not connected"),
            ] {
                fixture.authorizing.failLooks(with: failure)
                fixture.authorizing.fail(with: failure)
                let opened = [try await browser.get(returned), try await browser.get(path + "?error=x&state=y")]
                for page in opened + [try await browser.post(path, values)] {
                    #expect(page.status == status)
                    try Markup.check(page.text, "\(failure.kind)")
                    #expect(page.text.contains("<h1>\(title)</h1>"))
                    let words = failure.explanation?.whatHappened ?? failure.text
                    #expect(page.text.contains(words.replacing("<", with: "&lt;").replacing(">", with: "&gt;")))
                    #expect(page.fields[.retryAfter] == (status == 503 ? "5" : nil))
                    #expect(!page.text.contains("code-of-tastytrade"))
                }
            }
        }
    }

    @Test func aFormOfAnotherBrowserOrFromElsewhereFinishesNothing() async throws {
        try await travel { browser, _ async throws in
            _ = try await browser.get(returned)
            let own = browser.formToken
            for token in ["", "x", String(own.reversed())] {
                let page = try await browser.post(path, values, token: token)
                #expect(page.status == 403)
                try Markup.check(page.text, "form token")
                #expect(page.text.contains("The form is not from this browser"))
            }
            for origin in [nil, "null", "https://my.tastytrade.com"] {
                browser.origin = origin
                #expect(try await browser.post(path, values, token: own).status == 403)
            }
            browser.origin = "http://localhost"
            browser.cookie = "tastytokend-browser=" + String(repeating: "a", count: 43)
            #expect(try await browser.post(path, values, token: own).status == 403)
        }
        #expect(!fixture.authorizing.seen.contains(where: finished))
    }
}
