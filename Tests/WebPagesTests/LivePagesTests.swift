// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import Logging
import Testing

@testable import WebPages

/// The pages over a real connection.
@Suite(.timeLimit(.minutes(1))) struct LivePagesTests {
    private let fixture: PagesFixture

    init() throws { fixture = try PagesFixture() }

    @Test func theStyleIsServedWithItsFields() async throws {
        try await fixture.pages.application().test(.live) { client async throws in
            let reply = try await client.execute(uri: "/assets/pages.css", method: .get)
            #expect(reply.status == .ok)
            #expect(reply.headers[.contentType] == "text/css; charset=utf-8")
            #expect(reply.headers[.server] == nil)
            #expect(reply.headers[.contentSecurityPolicy] != nil)
            #expect(reply.body.readableBytes > 1000)
        }
    }

    @Test func theHostOfTheConnectionIsLookedAt() async throws {
        try await fixture.pages.application().test(.live) { client async throws in
            let port = try #require(client.port)
            try await TestClient.withClient(host: "127.0.0.1", port: port) { direct async throws in
                for (authority, isMisdirected) in [("localhost", false), ("127.0.0.1", true), ("evil.example", true)] {
                    for path in ["/", "/console", "/nowhere"] {
                        let request = TestClient.Request(path, method: .get, authority: authority)
                        #expect(try await (direct.execute(request).status.code == 421) == isMisdirected)
                    }
                    let style = TestClient.Request("/assets/pages.css", method: .get, authority: authority)
                    #expect(try await direct.execute(style).status == .ok, "which the page that says so has, too")
                }
                let twice = TestClient.Request(
                    "/console",
                    method: .get,
                    authority: "localhost",
                    headers: [HTTPFields.Element.Name("Host")!: "localhost"]
                )
                #expect(try await direct.execute(twice).status == .badRequest)
            }
        }
    }

    @Test func anAddressThatIsTakenIsOneWarning() async throws {
        try await fixture.pages.application().test(.live) { client async throws in
            let second = try PagesFixture(port: try #require(client.port))
            await second.pages.run()
            let warnings = second.log.entries.filter { $0.level >= .warning }
            #expect(warnings.count == 1)
            #expect(warnings.first?.message.description.contains("web.listen") == true)
        }
    }

    @Test func fieldsWithoutEndAreRefused() async throws {
        try await fixture.pages.application().test(.live) { client async throws in
            let fields: HTTPFields = [.cookie: String(repeating: "a", count: 20_000)]
            let reply = try await client.execute(uri: "/assets/pages.css", method: .get, headers: fields)
            #expect((400..<500).contains(reply.status.code))
        }
    }

    @Test func somebodySignsInAndIsShownTheAccounts() async throws {
        let token = try fixture.link()
        try await fixture.pages.application().test(.live) { client async throws in
            var browser = Browser(client: client, origin: "http://localhost")
            #expect(try await browser.get("/console?t=\(token)").status == 200)
            try await browser.signIn(token)
            #expect(try await browser.get("/").status == 200)
            let large = try await browser.post("/console", [("t", String(repeating: "a", count: 200_000))])
            #expect(large.status == 413)
            // The connection is good for more.
            #expect(try await browser.get("/").status == 200)
        }
    }
}
