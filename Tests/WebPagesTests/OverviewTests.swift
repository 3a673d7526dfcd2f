// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import TokenCore

@testable import WebPages

@Suite(.timeLimit(.minutes(1))) struct OverviewTests {
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    private func report(
        _ user: String,
        _ status: GrantStatus,
        expires: Duration? = .seconds(600),
        error: String? = nil
    ) {
        let now = fixture.clock.now.wall
        fixture.board.report(
            GrantReport(
                user: UserID(user),
                status: status,
                environment: .sandbox,
                client: "second",
                expiresAt: expires.map { now + $0 },
                lastRefreshedAt: now + .seconds(-300),
                nextRefreshAt: nil,
                consecutiveFailures: 0,
                lastError: error
            )
        )
    }

    @Test func saysWhoIsConnectedAndUntilWhen() async throws {
        report("42", .active)
        report("43", .expired, expires: .seconds(-7200))
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            #expect(page.status == 200)
            try Markup.check(page.text, "/")
            #expect(page.text.contains("<h2>42</h2>"))
            #expect(
                page.text.contains(
                    "alive until <time datetime=\"2026-01-01T00:10:00Z\">2026-01-01 00:10:00 UTC (in 10 minutes)</time>"
                )
            )
            #expect(page.text.contains("2025-12-31 23:55:00 UTC (5 minutes ago)"))
            #expect(page.text.contains("dead since <time datetime=\"2025-12-31T22:00:00Z\">"))
            #expect(page.text.contains("(2 hours ago)"))
            #expect(page.text.contains("second, sandbox"))
            // What the double's summary says.
            #expect(page.text.contains("<dt>failing</dt><dd>2</dd>"))
            #expect(page.text.contains("Refreshes are stopped: because."))
        }
    }

    @Test(arguments: GrantStatus.allCases)
    func everyStatusIsInPlainWordsWithWhatToDo(status: GrantStatus) async throws {
        report("a/b c", status)
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get(status == .noGrant ? "/?show=unconnected" : "/")
            try Markup.check(page.text, "\(status)")
            #expect(page.text.contains("<p class=\"status \(status.tone)\">\(status.words)</p>"))
            #expect(!page.text.contains(status.rawValue) || status.words.lowercased().contains(status.rawValue))
            #expect(page.text.contains("What to do:") == status.isTrouble)
            #expect(page.text.contains("<p>because</p>") == status.isTrouble)
            #expect(page.text.contains("/tastytrade/oauth/grant?user=a%2Fb%20c#form") == status.needsGrant)
            #expect(page.text.contains("/tastytrade/oauth/authorize?user=a%2Fb%20c\"") == status.needsGrant)
        }
    }

    @Test func showsWhatFailsAlone() async throws {
        report("1", .active)
        report("2", .degraded)
        report("3", .noGrant, expires: nil)
        try await fixture.browseSignedIn { browser async throws in
            for (address, users) in [
                ("/", ["1", "2"]), ("/?show=failing", ["2"]), ("/?show=unconnected", ["3"]),
                ("/?show=%3Cx%3E&from=-1", ["1", "2"]),
            ] {
                let page = try await browser.get(address)
                #expect(page.text.matches(of: #/<h2>(.)</h2>/#).map { String($0.1) } == users, "\(address)")
            }
        }
    }

    @Test func aHundredStandOnAPage() async throws {
        for number in 100..<350 { report("\(number)", .active) }
        try await fixture.browseSignedIn { browser async throws in
            var seen: [String] = []
            var address: String? = "/"
            var pages = 0
            while let here = address {
                let page = try await browser.get(here)
                seen += page.text.matches(of: /<h2>(\d+)<\/h2>/).map { String($0.1) }
                address = page.text.firstMatch(of: /rel="next" href="([^"]+)"/).map {
                    String($0.1.replacing("&amp;", with: "&"))
                }
                pages += 1
                #expect(page.text.contains("First page") == (pages > 1))
            }
            #expect(pages == 3)
            #expect(seen == (100..<350).map(String.init))
        }
    }

    /// An engine that has too much to do is not waited for: the rest is on the next page.
    @Test func aPageIsDoneAfterFiveSecondsWithWhatThereIs() async throws {
        for number in 100..<150 { report("\(number)", .degraded) }
        fixture.board.beforeReports { [clock = fixture.clock] in clock.advance(by: .seconds(2)) }
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            try Markup.check(page.text, "/")
            let seen = page.text.matches(of: /<h2>(\d+)<\/h2>/).map { String($0.1) }
            // Three at a time, for as long as there are five seconds.
            #expect(seen == (100..<109).map(String.init))
            #expect(page.text.contains("rel=\"next\" href=\"/?show=connected&amp;from=9\""), "\(page.text)")
            // No time was left to ask why.
            #expect(!page.text.contains("<p>because</p>"))
            #expect(page.text.matches(of: /What to do:/).count == 9)
        }
    }

    @Test func whatCameTooLateToBeExplainedIsShownWithItsStatus() async throws {
        for number in 1...3 { report("\(number)", .degraded) }
        fixture.board.beforeReports { [clock = fixture.clock] in clock.advance(by: .seconds(2)) }
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            try Markup.check(page.text, "/")
            #expect(page.text.matches(of: /<p>because<\/p>/).count == 2)
            #expect(page.text.matches(of: /<h2>\d<\/h2>/).count == 3 && !page.text.contains("rel=\"next\""))
        }
    }

    @Test func whatComesFromOutsideIsText() async throws {
        let evil = "<script>alert('1')</script>\"><img src=x>\u{202E}"
        report(evil, .degraded, error: evil)
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            try Markup.check(page.text, "/")
            #expect(!page.text.contains("<img"))
            #expect(
                page.text.contains(
                    "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&gt;&lt;img src=x&gt;\\u{202e}</h2>"
                )
            )
        }
    }

    @Test func anIdThatLooksLikeATokenIsShownWhole() async throws {
        let user = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
        report(user, .reauthorizationRequired)
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            #expect(page.text.contains("<h2>\(user)</h2>"))
            #expect(page.text.contains("?user=\(user)#form\">connect \(user) by a grant"))
            #expect(page.text.contains("?user=\(user)\">Connect \(user) on TastyTrade’s page</a>"))
        }
    }

    @Test func anEmptyListAndAnUnfinishedLoadAreSaid() async throws {
        fixture.board.setReady(false)
        try await fixture.browseSignedIn { browser async throws in
            let page = try await browser.get("/")
            #expect(page.text.contains("No account is connected."))
            #expect(page.text.contains("Accounts are still being loaded."))
            #expect(try await browser.get("/?show=failing").text.contains("No account fails."))
        }
    }
}
