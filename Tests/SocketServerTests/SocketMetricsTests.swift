// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import MetricsText
import NIOCore
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct SocketMetricsTests {
    private let requests = "tastytokend_requests_total"

    private func connection(_ caller: Caller = .root) throws -> EmbeddedConnection {
        try EmbeddedConnection(board: .withUsers(), caller: caller)
    }

    private func lines(_ text: String, _ name: String) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }.map(String.init)
        )
    }

    @Test func answersAreCountedByRouteAndStatus() throws {
        let connection = try connection()
        for _ in 1...2 { _ = try connection.get("/v1/users/42/token") }
        _ = try connection.get("/v1/users/nobody/token")
        _ = try connection.get("/v1/users/dead/token")
        _ = try connection.get("/healthz")
        _ = try connection.get("/nowhere/42")
        _ = try connection.get("/v1/users/%/token")
        _ = try connection.ask(EmbeddedConnection.request("DELETE", "/readyz", []))
        _ = try connection.ask("NONSENSE\r\n\r\n")
        #expect(
            lines(connection.metrics.text, requests) == [
                requests + "{code=\"200\",route=\"/v1/users/{user}/token\"} 2",
                requests + "{code=\"404\",route=\"/v1/users/{user}/token\"} 1",
                requests + "{code=\"409\",route=\"/v1/users/{user}/token\"} 1",
                requests + "{code=\"200\",route=\"/healthz\"} 1",
                requests + "{code=\"404\",route=\"other\"} 1",
                requests + "{code=\"400\",route=\"other\"} 2",
                requests + "{code=\"405\",route=\"/readyz\"} 1",
            ]
        )
    }

    @Test func whatRemainsOfATokenIsMeasuredWhenItIsHandedOut() throws {
        let connection = try connection()
        _ = try connection.get("/v1/users/42/token")
        _ = try connection.get("/v1/users/7/token", "Accept: text/plain")
        _ = try connection.get("/v1/users/short/token")
        _ = try connection.get("/v1/users/dead/token")
        let text = connection.metrics.text
        #expect(
            lines(text, "tastytokend_token_remaining_seconds_count") == ["tastytokend_token_remaining_seconds_count 3"]
        )
        #expect(
            lines(text, "tastytokend_token_remaining_seconds_sum") == ["tastytokend_token_remaining_seconds_sum 1305"]
        )
    }

    @Test func theShortWayCountsWhatItAnswersAndNothingElse() throws {
        let connection = try connection()
        let way = ShortWay(connection.service)
        let request = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let bytes = Array((request + request + "GET /v1/users/nobody/token HTTP/1.1\r\nHost: localhost\r\n\r\n").utf8)
        var answers = ByteBuffer()
        let taken = bytes.withUnsafeBytes { way.answer($0, from: .root, at: .newYear, into: &answers) }
        #expect(taken == 2 * request.utf8.count)
        let text = connection.metrics.text
        #expect(lines(text, requests) == [requests + "{code=\"200\",route=\"/v1/users/{user}/token\"} 2"])
        #expect(
            lines(text, "tastytokend_token_remaining_seconds_sum") == ["tastytokend_token_remaining_seconds_sum 1200"]
        )
    }

    @Test func whoMayNotSeeTheStatusOfAllGetsNoMetrics() throws {
        let reply = try connection(.stranger).get("/metrics")
        #expect(reply.status == 403)
        #expect(!reply.body.contains("tastytokend_"))
    }

    @Test func theyAreServedAsPrometheusAsksForThem() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let client = try await fixture.connect()
            #expect(try await client.get("/v1/users/42/token").status == 200)
            let reply = try await client.get("/metrics")
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(reply.body.contains("\n" + requests + "{code=\"200\",route=\"/v1/users/{user}/token\"} 1\n"))
            #expect(try await client.get("/metrics").body.contains("{code=\"200\",route=\"/metrics\"} 1\n"))
        }
    }

    @Test func aTokenThatCameOfAnOrderIsHandedOutToo() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            fixture.board.decide(.underWay(replacing: nil), for: UserID("42"))
            let client = try await fixture.connect()
            try await client.send(EmbeddedConnection.request("POST", "/v1/users/42/refresh", ["Content-Length: 0"]))
            #expect(try await client.reply().status == 200)
            let text = try await client.get("/metrics").body
            #expect(text.contains(requests + "{code=\"200\",route=\"/v1/users/{user}/refresh\"} 1\n"))
            #expect(text.contains("tastytokend_token_remaining_seconds_sum 600\n"))
        }
    }

    @Test func anEngineThatDoesNotMeasureInTimeIsNotWaitedFor() async throws {
        let (never, end) = AsyncStream.makeStream(of: Never.self)
        defer { end.finish() }
        var limits = SocketLimits()
        limits.report = .milliseconds(1)
        let text: @Sendable () async -> String = {
            for await _ in never {}
            return ""
        }
        try await SocketFixture.with(limits: limits, metrics: text) { fixture in
            let reply = try await fixture.connect().get("/metrics")
            #expect(reply.status == 503)
            #expect(reply.code == "overloaded")
            #expect(reply.fields["retry-after"] == "1")
        }
    }
}
