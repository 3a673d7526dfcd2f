// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import Logging
import TestSupport
import Testing
import TokenCore

@testable import WebPages

/// The pages as the daemon runs them.
@Suite(.timeLimit(.minutes(1))) struct ServingTests {
    @Test func theyListenUntilTheirTaskEndsAndSayTheTimeByTheDaemonsClock() async throws {
        // One that somebody listened at until now.
        let port = try await PagesFixture().pages.application().test(.live) { client async throws in
            try #require(client.port)
        }
        let fixture = try PagesFixture(port: port)
        #expect(fixture.pages.outage?.contains("web.listen") == true, "nothing listens yet")
        let running = Task { await fixture.pages.run() }
        while fixture.pages.outage != nil { await Task.yield() }
        try await TestClient.withClient(host: "127.0.0.1", port: port) { client async throws in
            let style = TestClient.Request("/assets/pages.css", method: .get, authority: "localhost")
            let reply = try await client.execute(style)
            #expect(reply.status == .ok && reply.headers[.server] == nil)
            #expect(reply.headers[.date] == HTTPDate.text(fixture.clock.reading().wall))
            let missing = TestClient.Request("/nothing", method: .get, authority: "localhost")
            #expect(try await client.execute(missing).status == .notFound)
            // A connection that stays open does not keep it from ending.
            running.cancel()
            await running.value
        }
        #expect(fixture.pages.outage != nil)
        #expect(fixture.log.entries.allSatisfy { $0.level < .warning })
        #expect(fixture.log.entries.contains { $0.message == "web pages are served" })
    }
}
