// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The routes that tell how accounts and the daemon do (product.md, Socket API).
@Suite(.timeLimit(.minutes(1))) struct ReportRoutesTests {
    private func with(_ reports: [GrantReport], _ body: (RawClient, SocketFixture) async throws -> Void) async throws {
        try await SocketFixture.with { fixture in
            for report in reports { fixture.board.report(report) }
            try await body(fixture.connect(), fixture)
        }
    }

    private func object(_ reply: RawReply) throws -> [String: Any] {
        #expect(reply.status == 200 && reply.fields["content-type"] == "application/json", "\(reply)")
        return try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
    }

    private func users(_ reply: RawReply) throws -> [String] {
        let users = try #require(try object(reply)["users"] as? [[String: Any]])
        return users.compactMap { $0["user"] as? String }
    }

    private func expect(_ client: RawClient, _ target: String, _ users: [String]) async throws {
        let reply = try await client.get(target)
        #expect(try self.users(reply) == users, "\(target)")
    }

    @Test func aListIsWholeWhereItFitsAPage() async throws {
        try await with((1...9).map { .sample("\($0)") }) { client, _ in
            let reply = try await client.get("/v1/users")
            #expect(try users(reply) == (1...9).map(String.init), "however few the engine gives at a time")
            #expect(try object(reply)["next"] is NSNull)
        }
    }

    @Test func pagesFollowOneAnother() async throws {
        try await with((1...9).map { .sample("\($0)") }) { client, _ in
            var seen: [String] = []
            var next: String? = "0"
            while let after = next {
                let reply = try await client.get("/v1/users?limit=4&after=\(after)")
                let page = try users(reply)
                #expect(page.count <= 4)
                seen += page
                next = try object(reply)["next"] as? String
            }
            #expect(seen == (1...9).map(String.init))
        }
    }

    @Test func whoStillHangsOnAClientIsListed() async throws {
        try await with([.sample("1", client: "first"), .sample("2", client: "second"), .sample("3")]) { client, _ in
            try await expect(client, "/v1/users?client=first", ["1"])
            try await expect(client, "/v1/users?client=se%63ond&status=active", ["2"])
            try await expect(client, "/v1/users?client=third", [])
        }
    }

    @Test func rowsWithoutAGrantAreListedOnlyOnRequest() async throws {
        let reports: [GrantReport] = [
            .sample("1"), .sample("2", .noGrant), .sample("3", .degraded), .sample("4", .expired),
        ]
        try await with(reports) { client, _ in
            try await expect(client, "/v1/users", ["1", "3", "4"])
            try await expect(client, "/v1/users?status=no_grant", ["2"])
            try await expect(client, "/v1/users?status=degraded%2Cexpired", ["3", "4"])
        }
    }

    @Test(arguments: ["status=", "status=well", "status=active,", "limit=0", "limit=x", "after=-1", "limit=1&limit=2"])
    func aQueryThatMeansNothingIsRefused(query: String) throws {
        let reply = try EmbeddedConnection().get("/v1/users?" + query)
        #expect(reply.status == 400 && reply.code == "bad_request")
    }

    @Test func aPageBeyondTheEndIsEmpty() async throws {
        try await with([.sample("1")]) { client, _ in
            let reply = try await client.get("/v1/users?after=99999999999&limit=99999999999")
            #expect(try users(reply) == [])
            #expect(try object(reply)["next"] is NSNull)
        }
    }

    @Test func nothingIsListedBeforeEverythingIsLoaded() async throws {
        try await with([.sample("1")]) { client, fixture in
            fixture.board.setReady(false)
            let reply = try await client.get("/v1/users")
            #expect(reply.status == 503 && reply.fields["retry-after"] == "1")
        }
    }

    @Test func anExplanationHasReasonPlanAndAttempts() async throws {
        try await with([.sample("4 2")]) { client, _ in
            let reply = try await client.get("/v1/users/4%202/explain")
            #expect(
                reply.body
                    == #"{"user":"4 2","status":"active","reason":"because","remedy":null,"#
                    + #""next_attempt":{"at":"2026-01-01T00:00:00Z","why":"then"},"attempts":["#
                    + #"{"at":"2026-01-01T00:00:00Z","duration_ms":12,"outcome":"failed","error":"throttled"},"#
                    + #"{"at":"2026-01-01T00:00:00Z","duration_ms":3,"outcome":"granted","error":null}]}"#
            )
            let nobody = try await client.get("/v1/users/nobody/explain")
            #expect(nobody.code == "unknown_user")
        }
    }

    @Test func theStatusSumsUp() async throws {
        try await with([]) { client, _ in
            let reply = try await client.get("/v1/status")
            #expect(
                reply.body
                    == #"{"version":"1.2.3","ready":true,"started_at":"2026-01-01T00:00:00Z","#
                    + #""accounts":{"total":10,"healthy":1,"failing":2,"needing_a_person":3,"without_grant":4},"#
                    + #""refreshes":{"in_line":5,"in_flight":6,"unstored":7,"stopped":"because"},"capacity_accounts":8,"#
                    + #""database":{"trouble":null,"changes":"changes by notification"},"#
                    + #""journal":{"entries":0,"trouble":null}}"#
            )
        }
    }

    @Test(arguments: ["/v1/users", "/v1/users/42/explain", "/v1/status"])
    func theyTakeGETAlone(path: String) throws {
        let reply = try EmbeddedConnection().ask(EmbeddedConnection.request("POST", path, []))
        #expect(reply.status == 405 && reply.fields["allow"] == "GET, HEAD")
    }

    @Test(arguments: ["/v1/users", "/v1/users/42/explain", "/v1/status"])
    func strangersAreToldNothing(path: String) throws {
        #expect(try EmbeddedConnection(caller: .stranger).get(path).status == 403)
    }
}
