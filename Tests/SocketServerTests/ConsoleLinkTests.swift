// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import InMemoryLogging
import Logging
import NIOHTTP1
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// `POST /v1/console-links` (product.md, Socket API).
@Suite(.timeLimit(.minutes(1))) struct ConsoleLinkTests {
    private static let path = "/v1/console-links"

    private func object(_ reply: RawReply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
    }

    @Test func aLinkIsGivenWithItsEndAndIsInNoLog() async throws {
        let (pages, log) = (LinkingDouble(), InMemoryLogHandler())
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .trace
        try await SocketFixture.with(pages: pages, logger: logger) { fixture in
            let reply = try await fixture.connect().send("POST", Self.path, body: "")
            #expect(reply.status == 200 && reply.fields["cache-control"] == "no-store", "\(reply)")
            let object = try object(reply)
            #expect(object["link"] as? String == pages.link.url.reveal() && pages.count == 1)
            #expect(object["expires_at"] as? String == "2026-01-01T00:01:00Z" && object.count == 2)
        }
        #expect(!log.entries.contains { "\($0.message) \($0.metadata)".contains("link-of-the-double") })
    }

    @Test func whereThereAreNoPagesThatIsSaid() async throws {
        try await SocketFixture.with { fixture in
            let reply = try await fixture.connect().send("POST", Self.path, body: "")
            #expect(reply.status == 503)
            let object = try object(reply)
            #expect(object["code"] as? String == "token_unavailable")
            #expect((object["detail"] as? String)?.contains("web.enabled") == true)
        }
        let pages = LinkingDouble()
        pages.goOut(because: "The port is taken.")
        try await SocketFixture.with(pages: pages) { fixture in
            let reply = try await fixture.connect().send("POST", Self.path, body: "")
            #expect(reply.status == 503 && pages.count == 0)
            #expect(try object(reply)["detail"] as? String == "The port is taken.")
        }
    }

    @Test func onlyPostMakesOne() async throws {
        let pages = LinkingDouble()
        try await SocketFixture.with(pages: pages) { fixture in
            let client = try await fixture.connect()
            let reply = try await client.get(Self.path)
            #expect(reply.status == 405 && reply.fields["allow"] == "POST" && pages.count == 0)
            #expect(try await client.get(Self.path + "/x").status == 404)
        }
    }

    @Test func itTakesTheRightToDoEverythingToEverybody() {
        let bot = Caller(process: 1, user: 1001, group: 1001, supplementaryGroups: [])
        func isRefused(_ users: AccessRules.Rule.Accounts, _ rights: Set<Right>) -> Bool {
            let rules = AccessRules(ownUser: 1000, [AccessRules.Rule(.user(1001), for: users, rights)])
            return Dispatch.refusal(.consoleLinks, bot, rules)?.status == 403
        }
        #expect(isRefused(.all, [.token, .refresh, .status, .enroll]))
        #expect(isRefused(.some([UserID("42")]), [.admin]))
        #expect(!isRefused(.all, [.admin]))
    }
}
