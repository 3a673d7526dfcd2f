// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import TokenCore

@testable import WebPages

@Suite(.timeLimit(.minutes(1))) struct GrantPageTests {
    private let path = "/tastytrade/oauth/grant"
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    @Test func theFormKnowsUserAndClients() async throws {
        fixture.enrolling.clients(.success([EnrollingDouble.configured, EnrollingDouble.listing("second")]))
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path + "?user=a%2Fb%20c")
            #expect(page.status == 200)
            try Markup.check(page.text, "grant")
            #expect(page.text.contains("name=\"user\" type=\"text\" value=\"a/b c\""))
            #expect(page.text.contains("<option value=\"second\">second</option>"))
            #expect(page.text.contains("<option value=\"\" selected>"))
            #expect(page.text.contains("name=\"refresh_token\" type=\"password\" value=\"\""))
        }
    }

    @Test func aGrantGoesToWhomItIsFor() async throws {
        fixture.enrolling.answer(.success(["It does not allow openid."]))
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            for client in ["", "second"] {
                let page = try await browser.post(
                    path,
                    [("user", "42"), ("client", client), ("refresh_token", PagesFixture.secret)]
                )
                #expect(page.status == 200)
                try Markup.check(page.text, "connected")
                #expect(page.text.contains("The account of user 42 is connected"))
                #expect(page.text.contains("<p class=\"note\">It does not allow openid.</p>"))
                #expect(
                    fixture.enrolling.pasted.last
                        == EnrollingDouble.Pasted(
                            user: UserID("42"),
                            token: Secret(PagesFixture.secret),
                            client: client.isEmpty ? nil : client
                        )
                )
            }
        }
    }

    @Test(arguments: [
        (EnrollmentFailure.Kind.unknownUser, 422, "user"), (.unknownClient, 422, "client"),
        (.invalid, 422, "refresh_token"), (.grantRefused, 422, "refresh_token"), (.noSealingKey, 409, ""),
        (.tooSoon, 429, ""), (.unavailable, 503, ""),
    ])
    func whatDidNotComeAboutIsSaidAtItsField(kind: EnrollmentFailure.Kind, status: Int, field: String) async throws {
        let wait: Duration? = kind == .tooSoon ? .milliseconds(4200) : nil
        fixture.enrolling.answer(.failure(EnrollmentFailure(kind, "No <b>way</b>.", retryAfter: wait)))
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(
                path,
                [("user", "<i>42"), ("client", "default"), ("refresh_token", PagesFixture.secret)]
            )
            #expect(page.status == status)
            try Markup.check(page.text, "failure")
            let words = "No &lt;b&gt;way&lt;/b&gt;."
            #expect(page.text.contains(field.isEmpty ? "<li>\(words)</li>" : "<a href=\"#\(field)\">\(words)</a>"))
            #expect(page.text.contains("value=\"&lt;i&gt;42\""))
            #expect(page.text.contains("<option value=\"default\" selected>"))
            #expect(page.fields[.retryAfter] == wait.map { _ in "5" })
        }
    }

    @Test func nothingIsTriedWithoutUserAndToken() async throws {
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, [("user", " "), ("refresh_token", "")])
            #expect(page.status == 422)
            try Markup.check(page.text, "missing")
            #expect(page.text.contains("<a href=\"#user\">Say whose account it is.</a>"))
            #expect(page.text.contains("<a href=\"#refresh_token\">Paste the refresh token.</a>"))
        }
        #expect(fixture.enrolling.pasted.isEmpty)
    }
}
