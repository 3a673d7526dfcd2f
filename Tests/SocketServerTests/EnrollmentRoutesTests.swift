// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import InMemoryLogging
import Logging
import NIOCore
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The routes that connect accounts and change OAuth clients (product.md, Socket API).
@Suite(.timeLimit(.minutes(1))) struct EnrollmentRoutesTests {
    private static let canary = "canary-Zk3v"

    private func with(
        limits: SocketLimits = SocketLimits(),
        access: AccessRules? = nil,
        logger: Logger = SocketFixture.quiet,
        _ body: (RawClient, SocketFixture) async throws -> Void
    ) async throws {
        try await SocketFixture.with(limits: limits, access: access, logger: logger) { fixture in
            for user in ["42", "a/b"] { fixture.board.report(.sample(user)) }
            try await body(fixture.connect(), fixture)
        }
    }

    private func object(_ reply: RawReply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
    }

    private func code(_ reply: RawReply) throws -> String? { try object(reply)["code"] as? String }

    @Test(arguments: [("/v1/users/42/grant", "42"), ("/v1/users/a%2Fb/grant", "a/b")])
    func aGrantIsHandedOverAndTheStatusGivenWithWhatIsWorthKnowing(_ path: String, _ user: String) async throws {
        try await with { client, fixture in
            fixture.enrolling.remark(["Quotes were taken off."])
            let reply = try await client.send("PUT", path, body: #"{"refresh_token":"r1","more":[1,{}]}"#)
            #expect(reply.status == 200, "\(reply)")
            let object = try object(reply)
            #expect(object["user"] as? String == user && object["status"] as? String == "active")
            #expect(object["notes"] as? [String] == ["Quotes were taken off."])
            #expect(await fixture.enrolling.requests.next() == .connect(UserID(user), Secret("r1"), nil))
            let named = try await client.send("PUT", path, body: #"{"client":"second","refresh_token":"r2"}"#)
            #expect(try self.object(named)["notes"] as? [String] == ["Quotes were taken off."])
            #expect(await fixture.enrolling.requests.next() == .connect(UserID(user), Secret("r2"), "second"))
        }
    }

    @Test(arguments: [
        (EnrollmentFailure.Kind.unknownUser, 404, "unknown_user"), (.unknownClient, 400, "bad_request"),
        (.invalid, 400, "bad_request"), (.grantRefused, 422, "grant_refused"), (.noSealingKey, 409, "no_sealing_key"),
        (.tooSoon, 429, "too_many_refreshes"), (.unavailable, 503, "token_unavailable"),
    ])
    func whyItDidNotWorkIsAProblemWithTheFailuresWords(
        _ kind: EnrollmentFailure.Kind,
        _ status: Int,
        _ code: String
    ) async throws {
        try await with { client, fixture in
            fixture.enrolling.fail(with: EnrollmentFailure(kind, "What happened.", retryAfter: .seconds(3)))
            let reply = try await client.send("PUT", "/v1/users/42/grant", body: #"{"refresh_token":"r"}"#)
            #expect(reply.status == status && reply.fields["retry-after"] == "3", "\(reply)")
            #expect(try self.code(reply) == code)
            #expect(try object(reply)["detail"] as? String == "What happened.")
        }
    }

    @Test(arguments: [
        "", "x", "[]", "{", #"{"refresh_token":1}"#, #"{"refresh_token":null}"#, "{}",
        #"{"refresh_token":"a","refresh_token":"b"}"#,
        #"{"refresh_token":"a","client":[]}"#, #"{"refresh_token":"a"} x"#,
    ])
    func aBodyThatIsNotWhatItShouldBeIsRefusedAndNotQuoted(_ body: String) async throws {
        try await with { client, fixture in
            let reply = try await client.send("PUT", "/v1/users/42/grant", body: body)
            #expect(reply.status == 400, "\(reply)")
            #expect(try code(reply) == "bad_request")
            #expect(fixture.enrolling.requests.count == 0)
            #expect(try await client.get("/healthz").status == 200, "the connection goes on")
        }
    }

    @Test func aBodyThatIsTooLongIsRefused() async throws {
        var limits = SocketLimits()
        limits.bodyBytes = 100
        try await with(limits: limits) { client, fixture in
            let body = #"{"refresh_token":"\#(String(repeating: "a", count: 100))"}"#
            let reply = try await client.send("PUT", "/v1/users/42/grant", body: body)
            #expect(reply.status == 413)
            #expect(fixture.enrolling.requests.count == 0)
        }
    }

    @Test func aBodyInChunksIsReadAsAWhole() async throws {
        try await with { client, fixture in
            let head = EmbeddedConnection.request("PUT", "/v1/users/42/grant", ["Transfer-Encoding: chunked"])
            try await client.send(head + "9\r\n{\"refresh\r\n")
            try await client.send("d\r\n_token\":\"r1\"}\r\n0\r\n\r\n")
            #expect(try await client.reply().status == 200)
            #expect(await fixture.enrolling.requests.next() == .connect(UserID("42"), Secret("r1"), nil))
        }
    }

    @Test func aGrantIsForgotten() async throws {
        try await with { client, fixture in
            try await client.send(EmbeddedConnection.request("DELETE", "/v1/users/42/grant", []))
            let reply = try await client.reply()
            #expect(reply.status == 204 && reply.body.isEmpty && reply.fields["content-length"] == nil, "\(reply)")
            #expect(await fixture.enrolling.requests.next() == .disconnect(UserID("42")))
            #expect(try await client.get("/healthz").status == 200, "the next reply is found behind it")
        }
    }

    @Test func clientsAreListedWithoutTheirSecrets() async throws {
        try await with { client, fixture in
            fixture.enrolling.list([.sample(obstacle: "no key")])
            let reply = try await client.get("/v1/clients")
            let clients = try #require(try object(reply)["clients"] as? [[String: Any]])
            #expect(reply.status == 200 && clients.count == 1)
            #expect(clients[0]["name"] as? String == "default" && clients[0]["client_id"] is NSNull)
            #expect(clients[0]["scopes"] as? [String] == ["read", "trade"] && clients[0]["accounts"] as? Int == 7)
            #expect(clients[0]["obstacle"] as? String == "no key" && clients[0]["client_secret"] == nil)
        }
    }

    @Test func aClientIsPutInAsFarAsTheBodySays() async throws {
        try await with { client, fixture in
            let whole = """
                {"client_id":"id","client_secret":"s3cret","environment":"production",
                "redirect_uri":"https://app.example/callback","scopes":"read openid"}
                """
            let reply = try await client.send("PUT", "/v1/clients/my%2Eown", body: whole)
            #expect(reply.status == 200 && !reply.body.contains("s3cret"), "\(reply)")
            #expect(try object(reply)["environment"] as? String == "production")
            #expect(try object(reply)["secret_changed_at"] as? String == "2026-01-01T00:00:00Z")
            var draft = ClientDraft(name: "my.own", clientID: "id", clientSecret: Secret("s3cret"))
            (draft.environment, draft.redirectURI) = ("production", "https://app.example/callback")
            draft.scopes = ["read", "openid"]
            #expect(await fixture.enrolling.requests.next() == .put(draft))
            #expect(try await client.send("PUT", "/v1/clients/x", body: #"{"scopes":["read"]}"#).status == 200)
            #expect(await fixture.enrolling.requests.next() == .put(ClientDraft(name: "x", scopes: ["read"])))
            for body in [#"{"scopes":[1]}"#, #"{"client_secret":{}}"#, "null"] {
                #expect(try await client.send("PUT", "/v1/clients/x", body: body).status == 400)
            }
        }
    }

    @Test func aClientIsTakenOutUnlessItIsNotThere() async throws {
        try await with { client, fixture in
            try await client.send(EmbeddedConnection.request("DELETE", "/v1/clients/x", []))
            #expect(try await client.reply().status == 204)
            #expect(await fixture.enrolling.requests.next() == .removeClient("x"))
            fixture.enrolling.fail(with: EnrollmentFailure(.unknownClient, "None."))
            try await client.send(EmbeddedConnection.request("DELETE", "/v1/clients/x", []))
            let reply = try await client.reply()
            #expect(reply.status == 404)
            #expect(try code(reply) == "not_found")
        }
    }

    @Test func otherMethodsAndPathsAreNone() async throws {
        try await with { client, _ in
            for (method, path, allow) in [
                ("GET", "/v1/users/42/grant", "PUT, DELETE"), ("POST", "/v1/clients", "GET, HEAD"),
                ("GET", "/v1/clients/x", "PUT, DELETE"),
            ] {
                try await client.send(EmbeddedConnection.request(method, path, []))
                let reply = try await client.reply()
                #expect(reply.status == 405 && reply.fields["allow"] == allow, "\(method) \(path): \(reply)")
            }
            for path in ["/v1/clients/", "/v1/clients/a/b", "/v1/users/42/grant/"] {
                #expect(try await client.get(path).status == 404, "\(path)")
            }
            #expect(try await client.get("/v1/clients/%ZZ").status == 400)
        }
    }

    /// An authorization makes two calls, and asks the database before and after them.
    @Test(arguments: [(30, 15, 90), (45, 15, 120), (600, 15, 1230)] as [(Int, Int, Int64)])
    func theLimitHoldsWhatItBounds(_ call: Int, _ statement: Int, _ limit: Int64) {
        var limits = SocketLimits()
        #expect(limits.enrollment == .seconds(90))
        limits.allowEnrollment(forCalls: .seconds(call), .seconds(statement))
        #expect(limits.enrollment == .seconds(limit))
    }

    @Test func aChangeThatTakesTooLongIsAnsweredAtTheLimitAndGoesOn() async throws {
        var limits = SocketLimits()
        limits.enrollment = .milliseconds(20)
        try await with(limits: limits) { client, fixture in
            fixture.enrolling.hold()
            let reply = try await client.send("PUT", "/v1/users/42/grant", body: #"{"refresh_token":"r"}"#)
            #expect(reply.status == 503 && reply.fields["retry-after"] == nil && reply.body.contains("goes on"))
            #expect(try code(reply) == "overloaded")
            fixture.enrolling.release()
            #expect(await fixture.enrolling.ends.next() == .finished)
        }
    }

    @Test func aChangeGoesOnWhenItsCallerLeaves() async throws {
        try await with { client, fixture in
            fixture.enrolling.hold()
            let body = #"{"refresh_token":"r"}"#
            try await client.send(
                EmbeddedConnection.request("PUT", "/v1/users/42/grant", ["Content-Length: \(body.utf8.count)"]) + body
            )
            _ = await fixture.enrolling.requests.next()
            try await client.close()
            // The server has noticed by the time another caller is answered who came after that.
            #expect(try await fixture.connect().get("/healthz").status == 200)
            fixture.enrolling.release()
            #expect(await fixture.enrolling.ends.next() == .finished)
        }
    }

    @Test func whoeverLeavesIsLoggedAllTheSameOnceItIsDone() async throws {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .info
        try await with(logger: logger) { client, fixture in
            fixture.enrolling.hold()
            let body = #"{"refresh_token":"r"}"#
            try await client.send(
                EmbeddedConnection.request("PUT", "/v1/users/42/grant", ["Content-Length: \(body.utf8.count)"]) + body
            )
            _ = await fixture.enrolling.requests.next()
            try await client.close()
            #expect(try await fixture.connect().get("/healthz").status == 200)
            fixture.enrolling.release()
            _ = await fixture.enrolling.ends.next()
            while !log.entries.contains(where: { $0.metadata["event"] == "change.asked" }) { await Task.yield() }
        }
        #expect(log.entries.count { $0.metadata["event"] == "change.asked" } == 1)
    }

    @Test func withoutSomebodyWhoConnectsItIsSaidSo() async throws {
        for (method, path) in [("PUT", "/v1/users/42/grant"), ("GET", "/v1/clients"), ("DELETE", "/v1/clients/x")] {
            let connection = try EmbeddedConnection()
            try connection.send(EmbeddedConnection.request(method, path, []))
            let reply = try RawReply(try connection.received())
            #expect(reply.status == 503, "\(method) \(path)")
        }
    }

    @Test func whoChangedWhatIsLogged() async throws {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .info
        try await with(logger: logger) { client, fixture in
            _ = try await client.send("PUT", "/v1/users/42/grant", body: #"{"refresh_token":"r1"}"#)
            fixture.enrolling.fail(with: EnrollmentFailure(.invalid, "no"))
            _ = try await client.send("DELETE", "/v1/clients/second", body: "")
            _ = try await client.get("/v1/users/42")
        }
        let changes = log.entries.filter { $0.metadata["event"] == "change.asked" }.map {
            $0.metadata.mapValues(\.description)
        }
        #expect(changes.map { $0["http.route"] } == ["/v1/users/{user}/grant", "/v1/clients/{name}"])
        #expect(changes.map { $0["http.method"] } == ["PUT", "DELETE"])
        #expect(changes.map { $0["http.status"] } == ["200", "400"])
        for change in changes {
            #expect(change["caller.uid"] == "\(geteuid())" && change["caller.pid"] == "\(getpid())")
        }
        #expect(changes.first?["user.id"] == "42" && changes.last?["client.name"] == "second")
    }

    @Test func h31NothingOfABodyIsLoggedOrSentBack() async throws {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .trace
        try await with(logger: logger) { client, _ in
            var replies = ""
            for body in [
                #"{"refresh_token":"\#(Self.canary)"}"#, #"{"refresh_token":"\#(Self.canary)","client":3}"#,
                #"{"refresh_token":"\#(Self.canary)"#,
            ] {
                replies += try await client.send("PUT", "/v1/users/42/grant", body: body).body
            }
            for body in [
                #"{"client_id":"i","client_secret":"\#(Self.canary)"}"#, #"{"client_secret":["\#(Self.canary)"]}"#,
            ] {
                replies += try await client.send("PUT", "/v1/clients/x", body: body).body
            }
            #expect(!replies.contains(Self.canary))
        }
        #expect(!log.entries.contains { "\($0.message) \($0.metadata)".contains(Self.canary) })
    }
}

/// Who may connect whom, and who may change clients.
@Suite struct EnrollmentAccessTests {
    private let bot = Caller(process: 1, user: 1001, group: 1001, supplementaryGroups: [])

    private func rules(_ accounts: AccessRules.Rule.Accounts, _ rights: Set<Right>) -> AccessRules {
        AccessRules(ownUser: 1000, [AccessRules.Rule(.user(1001), for: accounts, rights)])
    }

    private func isRefused(_ resource: Resource, _ rules: AccessRules) -> Bool {
        Dispatch.refusal(resource, bot, rules)?.status == 403
    }

    @Test func enrollIsForTheAccountsThatARuleNames() {
        let some = rules(.some([UserID("42")]), [.enroll])
        #expect(!isRefused(.grant(UserID("42")), some))
        #expect(isRefused(.grant(UserID("43")), some) && isRefused(.token(UserID("42")), some))
        #expect(isRefused(.grant(UserID("42")), rules(.all, [.token, .refresh, .status])))
    }

    @Test func clientsAreForWhoMayDoEverythingToEverybody() {
        for resource in [Resource.clients, .client("x")] {
            #expect(isRefused(resource, rules(.all, [.token, .refresh, .status, .enroll])))
            #expect(isRefused(resource, rules(.some([UserID("42")]), [.admin])))
            #expect(!isRefused(resource, rules(.all, [.admin])))
        }
    }
}
