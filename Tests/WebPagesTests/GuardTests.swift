// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import Testing

@testable import WebPages

/// What stands before all pages.
@Suite(.timeLimit(.minutes(1))) struct GuardTests {
    @Test(arguments: [
        "localhost:3001", "127.0.0.1:3000", "localhost", "evil.example", "localhost:3000.evil.example", "",
    ])
    func anotherHostIsMisdirected(host: String) throws {
        let check = HostCheck(origin: try WebOrigin("http://localhost:3000"))
        #expect(check.failure(authority: host, others: 0)?.status == .misdirectedRequest)
    }

    @Test func theOwnHostIsLetThroughOnceInAnyLetters() throws {
        let check = HostCheck(origin: try WebOrigin("http://localhost:3000"))
        #expect(check.failure(authority: "localhost:3000", others: 0) == nil)
        #expect(check.failure(authority: "LOCALHOST:3000", others: 0) == nil)
        #expect(check.failure(authority: "localhost:3000", others: 1)?.status == .badRequest)
        #expect(check.failure(authority: nil, others: 0)?.status == .badRequest)
    }

    @Test func pagesUnderAnotherNameAreRefusedWhateverProxiesSay() async throws {
        try await PagesFixture(at: "http://tokens.example").browse { browser async throws in
            for fields in [[:], [HTTPFields.Element.Name("X-Forwarded-Host")!: "tokens.example"]] as [HTTPFields] {
                let page = try await browser.send("/", "GET", fields: fields, nil)
                #expect(page.status == 421)
                #expect(page.text.contains("These pages are at another address"))
            }
        }
    }

    @Test(arguments: [
        nil, "null", "http://localhost:3000", "https://localhost", "http://localhost/", "http://evil.example",
    ])
    func whatComesFromElsewhereChangesNothing(origin: String?) async throws {
        let fixture = try PagesFixture()
        let token = try fixture.link()
        try await fixture.browse { browser async throws in
            browser.origin = origin
            let page = try await browser.post("/console", [("t", token)])
            #expect(page.status == 403)
            #expect(page.fields[.setCookie] == nil)
            // Nothing was spent by it.
            browser.origin = "http://localhost"
            try await browser.signIn(token)
        }
    }

    @Test func twoOriginsAreNone() throws {
        let check = OriginCheck(origin: try WebOrigin("http://localhost"))
        #expect(check.failure(method: "POST", origins: ["http://localhost"]) == nil)
        #expect(check.failure(method: "POST", origins: ["http://localhost", "http://localhost"]) != nil)
        #expect(check.failure(method: "DELETE", origins: []) != nil)
        #expect(check.failure(method: "GET", origins: []) == nil)
    }

    @Test(arguments: ["/", "/assets/pages.css", "/nowhere", "/console?t=x", "/console", "/?from=%ZZ"])
    func everyReplyHasTheFields(path: String) async throws {
        try await PagesFixture().browse { browser async throws in
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let page = try await browser.send(path, method, fields: [:], nil)
                let fields = page.fields
                #expect(
                    fields[.contentSecurityPolicy]
                        == "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
                )
                #expect(fields[.xContentTypeOptions] == "nosniff")
                #expect(fields[.cacheControl] == "no-store")
                #expect(fields[HTTPFields.Element.Name("Referrer-Policy")!] == "same-origin")
                #expect(fields[.strictTransportSecurity] == nil)
                #expect(fields[.server] == nil)
            }
        }
    }

    @Test func overTLSBrowsersAreToldToStayThere() throws {
        for isSecure in [true, false] {
            var fields: HTTPFields = [.server: "something"]
            ReplyFields(isSecure: isSecure, pages: try PageRenderer()).add(to: &fields)
            #expect(fields[.strictTransportSecurity] == (isSecure ? "max-age=31536000" : nil))
            #expect(fields[.server] == nil)
        }
    }

    @Test func aFormMayLeadToTheAuthorizePageWhereItHasTo() {
        #expect(
            ContentPolicy.text(formsAlsoTo: ["https://my.tastytrade.com"])
                .contains("form-action 'self' https://my.tastytrade.com;")
        )
    }

    @Test func aPageThatIsNotThereLeadsToOneThatIs() async throws {
        try await PagesFixture().browse { browser async throws in
            let page = try await browser.get("/nowhere")
            #expect(page.status == 404)
            try Markup.check(page.text, "nowhere")
            #expect(page.text.contains("<a class=\"button\" href=\"/\">"))
        }
    }

    @Test func aLargeFormIsRefused() async throws {
        try await PagesFixture().browse { browser async throws in
            let fit = try await browser.post("/console", [("t", String(repeating: "a", count: 65_000))])
            #expect(fit.status == 410)
            let large = try await browser.post("/console", [("t", String(repeating: "a", count: 65_536))])
            #expect(large.status == 413)
            #expect(large.text.contains("The form is too large"))
        }
    }

    @Test func onlyFormsAreRead() async throws {
        try await PagesFixture().browse { browser async throws in
            for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
                let fields: HTTPFields = [.origin: "http://localhost", .contentType: kind]
                let page = try await browser.send("/console", "POST", fields: fields, "t=x")
                #expect(page.status == 415)
            }
        }
    }
}
