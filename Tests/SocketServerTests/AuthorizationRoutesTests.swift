// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import InMemoryLogging
import Logging
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The routes by which a web application sends people to TastyTrade and takes them back (product.md, Socket API).
@Suite(.timeLimit(.minutes(1))) struct AuthorizationRoutesTests {
    private func with(
        pages: LinkingDouble? = nil,
        logger: Logger = SocketFixture.quiet,
        _ body: (RawClient, SocketFixture) async throws -> Void
    ) async throws {
        try await SocketFixture.with(pages: pages, logger: logger) { fixture in
            fixture.board.report(.sample("42"))
            try await body(fixture.connect(), fixture)
        }
    }

    private func object(_ reply: RawReply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
    }

    @Test(arguments: [("", nil), ("{}", nil), (#"{"client":"second","more":1}"#, "second"), (#"{"client":null}"#, nil)])
    func anAuthorizationIsBegunAndSaysWhereToGo(_ body: String, _ client: String?) async throws {
        try await with { connection, fixture in
            let reply = try await connection.send("POST", "/v1/users/42/authorizations", body: body)
            #expect(reply.status == 200, "\(reply)")
            #expect(reply.fields["cache-control"] == "no-store")
            let object = try object(reply)
            let start = fixture.authorizing.start
            #expect(object["authorization_url"] as? String == start.url.reveal())
            #expect(object["state"] as? String == start.state.reveal())
            #expect(object["expires_at"] as? String == "2026-01-01T00:00:00Z")
            #expect(await fixture.authorizing.requests.next() == .begin(UserID("42"), client, .socket))
        }
    }

    @Test(arguments: [
        (#"{"code":"c1"}"#, AuthorizationEnd.code(Secret("c1"))),
        (#"{"error":"access_denied"}"#, .error("access_denied")),
        (#"{"code":"c1","error":null,"error_description":"x"}"#, .code(Secret("c1"))),
    ])
    func itIsFinishedWithWhatCameBack(_ body: String, _ end: AuthorizationEnd) async throws {
        try await with { connection, fixture in
            fixture.authorizing.remark(["Worth knowing."])
            let reply = try await connection.send("POST", "/v1/authorizations/st%2Date", body: body)
            #expect(reply.status == 200, "\(reply)")
            let object = try object(reply)
            #expect(object["user"] as? String == "42" && object["notes"] as? [String] == ["Worth knowing."])
            #expect(await fixture.authorizing.requests.next() == .pending(Secret("st-ate"), .socket))
            #expect(await fixture.authorizing.requests.next() == .finish(Secret("st-ate"), end, .socket))
        }
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"code":""}"#, #"{"code":1}"#, #"{"code":"a","error":"b"}"#, #"{"error":""}"#,
    ])
    func whatIsNeitherCodeNorErrorSpendsNothing(_ body: String) async throws {
        try await with { connection, fixture in
            let reply = try await connection.send("POST", "/v1/authorizations/state", body: body)
            #expect(reply.status == 400, "\(reply)")
            #expect(fixture.authorizing.requests.count == 0)
        }
    }

    @Test func h32AStateThatIsSpentOrOverIs410() async throws {
        try await with { connection, fixture in
            fixture.authorizing.failLooks(with: EnrollmentFailure(.invalidState, "It took too long."))
            let reply = try await connection.send("POST", "/v1/authorizations/state", body: #"{"code":"c"}"#)
            #expect(reply.status == 410, "\(reply)")
            let object = try object(reply)
            #expect(object["code"] as? String == "invalid_state")
            #expect(object["detail"] as? String == "It took too long.")
        }
    }

    @Test func whoMayNotConnectThatAccountSpendsNothing() async throws {
        let authorizing = AuthorizingDouble()
        let board = BoardDouble()
        let caller = Caller(process: 1, user: 1001, group: 1001, supplementaryGroups: [])
        let reply = await AuthorizationReplies.finished(
            Secret("state"),
            with: .code(Secret("code")),
            isAllowed: { $0 == UserID("43") },
            caller,
            authorizing,
            board
        )
        #expect(reply.status == 403)
        #expect(await authorizing.requests.next() == .pending(Secret("state"), .socket))
        #expect(authorizing.requests.count == 0)
    }

    @Test func beginningTakesTheRightOverTheAccountAndFinishingOverSomeAccount() {
        let caller = Caller(process: 1, user: 1001, group: 1001, supplementaryGroups: [])
        func isRefused(_ resource: Resource, _ accounts: AccessRules.Rule.Accounts, _ rights: Set<Right>) -> Bool {
            let rules = AccessRules(ownUser: 1000, [AccessRules.Rule(.user(1001), for: accounts, rights)])
            return Dispatch.refusal(resource, caller, rules)?.status == 403
        }
        let some = AccessRules.Rule.Accounts.some([UserID("42")])
        #expect(!isRefused(.authorizations(UserID("42")), some, [.enroll]))
        #expect(isRefused(.authorizations(UserID("43")), some, [.enroll]))
        #expect(!isRefused(.authorization(Secret("s")), some, [.enroll]))
        #expect(!isRefused(.authorization(Secret("s")), .all, [.admin]))
        #expect(isRefused(.authorization(Secret("s")), .all, [.token, .refresh, .status]))
    }

    @Test func aLinkToThePagesIsGivenOrItIsSaidWhyNot() async throws {
        let pages = LinkingDouble()
        try await with(pages: pages) { connection, _ in
            let path = "/v1/users/42/authorization-links"
            let reply = try await connection.send("POST", path, body: #"{"client":"second"}"#)
            #expect(reply.status == 200 && reply.fields["cache-control"] == "no-store", "\(reply)")
            #expect(try object(reply)["link"] as? String == pages.link.url.reveal())
            #expect(try object(reply)["expires_at"] as? String == "2026-01-01T00:01:00Z")
            #expect(await pages.requests.next() == ["42", "second"])
            pages.fail(with: EnrollmentFailure(.invalid, "The way back leads elsewhere."))
            let elsewhere = try await connection.send("POST", path, body: "")
            #expect(elsewhere.status == 400 && elsewhere.body.contains("elsewhere"))
            pages.goOut(because: "They are off.")
            let off = try await connection.send("POST", path, body: "")
            #expect(off.status == 503 && off.body.contains("They are off."))
        }
    }

    @Test func otherMethodsAndPathsAreNone() async throws {
        try await with { connection, _ in
            for path in ["/v1/users/42/authorizations", "/v1/authorizations/s"] {
                let reply = try await connection.get(path)
                #expect(reply.status == 405 && reply.fields["allow"] == "POST", "\(path)")
            }
            for path in ["/v1/authorizations", "/v1/authorizations/", "/v1/authorizations/a/b"] {
                #expect(try await connection.get(path).status == 404, "\(path)")
            }
            #expect(try await connection.get("/v1/authorizations/%ZZ").status == 400)
        }
    }

    @Test func h31NeitherStateNorCodeIsLoggedOrSentBack() async throws {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .trace
        try await with(logger: logger) { connection, fixture in
            var replies = ""
            for body in [#"{"code":"canary"}"#, #"{"code":["canary"]}"#, #"{"code":"canary""#] {
                replies += try await connection.send("POST", "/v1/authorizations/canary", body: body).body
            }
            fixture.authorizing.failLooks(with: EnrollmentFailure(.invalidState, "None."))
            replies += try await connection.send("POST", "/v1/authorizations/canary", body: #"{"code":"canary"}"#).body
            #expect(!replies.contains("canary"))
        }
        #expect(!log.entries.contains { "\($0.message) \($0.metadata)".contains("canary") })
    }
}
