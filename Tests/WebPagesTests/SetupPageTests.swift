// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import SocketAPI
import TestSupport
import Testing
import TokenCore

@testable import WebPages

@Suite(.timeLimit(.minutes(1))) struct SetupPageTests {
    private let path = "/tastytrade/oauth/setup"
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    private let values = [
        ("name", " second "), ("client_id", "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11"),
        ("client_secret", PagesFixture.secret), ("environment", "sandbox"),
        ("redirect_uri", "http://localhost/tastytrade/oauth/callback"), ("scopes", "read, trade  openid"),
    ]

    @Test func saysWhereToGetTheValuesAndWhatToRegister() async throws {
        fixture.enrolling.clients(
            .success([
                EnrollingDouble.configured, EnrollingDouble.listing("second", obstacle: "its client secret: no key"),
            ])
        )
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path)
            #expect(page.status == 200)
            try Markup.check(page.text, "setup")
            for words in [
                "my.tastytrade.com (Manage &gt; My Profile &gt; API &gt; OAuth Applications)",
                "the sandbox page of developer.tastytrade.com",
                "<code>http://localhost/tastytrade/oauth/callback</code>", "From the configuration, and changed there",
                "It cannot be used: its client secret: no key", "/tastytrade/oauth/setup?client=second#form",
                "<dt>Scopes to tick</dt><dd><code>read</code> <code>trade</code> <code>openid</code></dd>",
            ] {
                #expect(page.text.contains(words), "\(words)")
            }
            #expect(page.text.matches(of: /Change second/).count == 1)
            #expect(!page.text.contains("Change default"))
        }
    }

    @Test func aClientIsPutInAsItWasEntered() async throws {
        fixture.enrolling.answer(.success(["The redirect URI is on this machine."]))
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, values)
            #expect(page.status == 200)
            try Markup.check(page.text, "saved")
            #expect(page.text.contains("The client second is saved"))
            #expect(page.fields[.setCookie] == nil)
            #expect(page.text.contains("<p class=\"note\">The redirect URI is on this machine.</p>"))
        }
        #expect(
            fixture.enrolling.drafts == [
                ClientDraft(
                    name: "second",
                    clientID: "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11",
                    clientSecret: Secret(PagesFixture.secret),
                    environment: "sandbox",
                    redirectURI: "http://localhost/tastytrade/oauth/callback",
                    scopes: ["read", "trade", "openid"]
                )
            ]
        )
    }

    /// The form of another client changes none by a name that is taken; that of the client itself does.
    @Test func aNameThatIsTakenChangesNothingUnlessThatIsMeant() async throws {
        fixture.enrolling.clients(.success([EnrollingDouble.configured, EnrollingDouble.listing("second")]))
        try await fixture.browseSignedIn { browser async throws in
            let empty = try await browser.get(path)
            #expect(empty.text.contains("<input type=\"hidden\" name=\"new\" value=\"yes\">"))
            let page = try await browser.post(path, values + [("new", "yes")])
            #expect(page.status == 422 && page.text.contains("There is a client of this name"))
            #expect(page.text.contains("name=\"new\" value=\"yes\""), "it is as it was meant")
            #expect(fixture.enrolling.drafts.isEmpty)
            let change = try await browser.get(path + "?client=second")
            #expect(!change.text.contains("name=\"new\""))
            #expect(try await browser.post(path, values).status == 200)
        }
        #expect(fixture.enrolling.drafts.map(\.name) == ["second"])
    }

    @Test func whatIsLeftEmptyIsNotChanged() async throws {
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            _ = try await browser.post(path, [("name", "second"), ("client_secret", ""), ("client_id", "")])
        }
        #expect(fixture.enrolling.drafts == [ClientDraft(name: "second")])
    }

    @Test func aClientToBeChangedStandsInTheFormWithoutItsSecret() async throws {
        fixture.enrolling.clients(.success([EnrollingDouble.configured, EnrollingDouble.listing("second")]))
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path + "?client=second")
            try Markup.check(page.text, "change")
            #expect(page.text.contains("<h2 id=\"form\">Change a client</h2>"))
            #expect(page.text.contains("name=\"name\" type=\"text\" value=\"second\""))
            #expect(page.text.contains("value=\"sandbox\" checked"))
            #expect(page.text.contains("name=\"client_secret\" type=\"password\" value=\"\""))
            #expect(page.text.contains("Leave it empty to keep the one that is stored."))
            // That of the configuration is not the database's.
            #expect(try await browser.get(path + "?client=default").text.contains("Add a client"))
        }
    }

    @Test func aFaultStandsAtItsField() async throws {
        fixture.enrolling.answer(.failure(EnrollmentFailure(.invalid, "all faults in one")))
        let faulty = ["client_id": "6e1d6c0b 3f6d", "redirect_uri": "http://localhost/#x"]
        let values = values.map { ($0.0, faulty[$0.0] ?? $0.1) }
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, values)
            #expect(page.status == 422)
            try Markup.check(page.text, "faults")
            #expect(page.text.contains("<div class=\"summary\" role=\"alert\" tabindex=\"-1\" autofocus"))
            #expect(page.text.contains("<a href=\"#client_id\">The client id"))
            #expect(page.text.contains("<a href=\"#redirect_uri\">The redirect URI has a fragment"))
            #expect(page.text.contains("aria-describedby=\"client_id-hint client_id-error\" aria-invalid=\"true\""))
            #expect(page.text.contains("<p class=\"error\" id=\"client_id-error\">"))
            // The rest is not lost, but for the secret.
            #expect(page.text.contains("value=\"second\""))
            #expect(page.text.contains("value=\"read trade openid\""))
            #expect(page.text.contains("value=\"sandbox\" checked"))
            #expect(page.text.contains("enter it again"))
        }
    }

    @Test func aRefusalIsSaidOnceWhereItsFieldIsKnown() throws {
        let body = "name=a&client_id=b%20c&environment=paper"
        let form = ClientForm(try FormFields(body.utf8))
        #expect(form.problems.map(\.field) == ["environment", "client_id"])
        let words = try #require(form.problems.last).text
        #expect(form.problems(for: EnrollmentFailure(.invalid, "\(words) And so on.")) == form.problems)
        let other = EnrollmentFailure(.invalid, "The name is none.")
        #expect(form.problems(for: other) == [Problem("The name is none.")] + form.problems)
        #expect(form.problems(for: EnrollmentFailure(.unavailable, "Away.")) == [Problem("Away.")])
    }

    @Test func anEnvironmentThatIsNoneIsSaidAtTheChoice() async throws {
        fixture.enrolling.answer(.failure(EnrollmentFailure(.invalid, "The environment is production or sandbox.")))
        let values = values.map { ($0.0, $0.0 == "environment" ? "paper" : $0.1) }
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, values)
            try Markup.check(page.text, "environment")
            #expect(page.text.contains("<a href=\"#environment\">Choose production or sandbox.</a>"))
            #expect(page.text.contains("aria-describedby=\"environment-error\""))
        }
    }

    @Test(arguments: [
        (EnrollmentFailure.Kind.invalid, 422), (.noSealingKey, 409), (.unavailable, 503), (.tooSoon, 429),
    ])
    func otherFailuresAreSaidInTheirWords(kind: EnrollmentFailure.Kind, status: Int) async throws {
        fixture.enrolling.answer(.failure(EnrollmentFailure(kind, "It did not come about: <because>.")))
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, values)
            #expect(page.status == status)
            try Markup.check(page.text, "failure")
            #expect(page.text.contains("<li>It did not come about: &lt;because&gt;.</li>"))
        }
    }

    @Test func aNameIsNeeded() async throws {
        try await fixture.browseSignedIn { browser async throws in
            _ = try await browser.get(path)
            let page = try await browser.post(path, [("name", " ")])
            #expect(page.status == 422)
            #expect(page.text.contains("<a href=\"#name\">Give the client a name.</a>"))
        }
        #expect(fixture.enrolling.drafts.isEmpty)
    }

    @Test func namesAreText() async throws {
        let evil = "\"><script>x</script>"
        fixture.enrolling.clients(.success([EnrollingDouble.listing(evil, obstacle: evil)]))
        fixture.enrolling.answer(.failure(EnrollmentFailure(.invalid, evil)))
        try await fixture.browseSignedIn { browser async throws in
            try Markup.check(try await browser.get(path + "?client=" + PercentCoding.encode(evil)).text, "list")
            let values = ["name", "redirect_uri", "scopes", "environment", "client_id"].map { ($0, evil) }
            try Markup.check(try await browser.post(path, values).text, "form")
        }
    }

    @Test func clientsThatCannotBeToldLeaveTheForm() async throws {
        fixture.enrolling.clients(.failure(EnrollmentFailure(.unavailable, "The database is away.")))
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(path)
            #expect(page.status == 200)
            try Markup.check(page.text, "away")
            #expect(page.text.contains("The database is away."))
            #expect(page.text.contains("name=\"client_secret\""))
        }
    }
}
