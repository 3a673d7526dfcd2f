// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// `POST refresh` of product.md, Socket API, as a caller sees it.
@Suite(.timeLimit(.minutes(1))) struct RefreshRouteTests {
    private let user = UserID("42")
    private let path = "/v1/users/42/refresh"

    private func order(_ fields: String..., path: String = "/v1/users/42/refresh") -> String {
        EmbeddedConnection.request("POST", path, fields + ["Content-Length: 0"])
    }

    /// A board with a token that lives, a caller who has ordered another, and the refresh under way.
    private func withOrder(
        _ fields: String...,
        path: String = "/v1/users/42/refresh",
        _ body: (SocketFixture, RawClient) async throws -> Void
    ) async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600), text: "old"), .underWay, for: user)
            let client = try await fixture.connect()
            try await client.send(EmbeddedConnection.request("POST", path, fields))
            await fixture.board.when { $0.orders == [user] && $0.waiters == 1 }
            try await body(fixture, client)
        }
    }

    @Test func theNewTokenIsGivenInTheFormOfGETToken() async throws {
        try await withOrder { fixture, client in
            let next = PublishedToken.living(.seconds(900), text: "next")
            fixture.board.publish(next, for: user)
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply[json: "access_token"] == "next")
            #expect(reply[json: "expires_in"] == "900")
            #expect(reply.fields["etag"] == next.etag)
            #expect(fixture.board.snapshot.waiters == 0)
        }
    }

    @Test func theBareTokenIsGivenToWhoAsksForText() async throws {
        try await withOrder("Accept: text/plain") { fixture, client in
            fixture.board.publish(.living(.seconds(900), text: "next"), for: user)
            let reply = try await client.reply()
            #expect(reply.body == "next")
        }
    }

    @Test func aChangeThatBringsNoOtherTokenIsNotTheEnd() async throws {
        try await withOrder { fixture, client in
            fixture.board.publish(.living(.seconds(500), text: "old"), .underWay, for: user)
            await fixture.board.when { $0.waiters == 1 }
            fixture.board.publish(.living(.seconds(900), text: "next"), for: user)
            let reply = try await client.reply()
            #expect(reply[json: "access_token"] == "next")
        }
    }

    @Test(
        arguments: [
            (.backingOff(until: .newYear + .seconds(4)), 503, "token_unavailable"),
            (.refused, 409, "reauthorization_required"), (.noGrant, 409, "no_grant"),
            (.unreadable, 409, "unreadable_grant"), (.unknownOutcome, 409, "unknown_outcome"),
            (.possible, 503, "token_unavailable"),
        ] as [(RefreshProspect, Int, String)]
    )
    func aRefreshThatGaveNoneIsToldAlthoughTheOldTokenLives(
        prospect: RefreshProspect,
        status: Int,
        code: String
    ) async throws {
        try await withOrder { fixture, client in
            fixture.board.publish(.living(.seconds(600), text: "old"), prospect, for: user)
            let reply = try await client.reply()
            #expect(reply.status == status && reply.code == code)
            #expect((reply.fields["retry-after"] != nil) == (status == 503))
        }
    }

    @Test func whoDoesNotWaitIsToldThatItIsUnderWay() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600)), .underWay, for: user)
            let client = try await fixture.connect()
            try await client.send(order(path: path + "?max_wait=0"))
            let reply = try await client.reply()
            #expect(reply.status == 504 && reply.code == "refresh_timeout")
            #expect(fixture.board.snapshot.orders == [user], "and it was ordered")
        }
    }

    @Test func theWaitEndsWithTheCallersTime() async throws {
        try await withOrder(path: path + "?max_wait=1") { _, client in
            let reply = try await client.reply()
            #expect(reply.code == "refresh_timeout")
        }
    }

    @Test func onlyTheTokenThatIsMeantIsReplaced() async throws {
        try await SocketFixture.with { fixture in
            let token = PublishedToken.living(.seconds(600), text: "old")
            fixture.board.publish(token, .underWay, for: user)
            let client = try await fixture.connect()
            for field in ["If-Match: \"other\"", "If-Match: W/\(token.etag)", "If-Match: nonsense", "If-Match:"] {
                try await client.send(order(field))
                let reply = try await client.reply()
                #expect(reply.status == 412 && reply.code == "stale_token", "\(field)")
                #expect(reply.fields["etag"] == token.etag)
            }
            #expect(fixture.board.snapshot.orders.isEmpty)
            for field in ["If-Match: \(token.etag)", "If-Match: \"x\", \(token.etag)", "If-Match: *"] {
                try await client.send(order(field, path: path + "?max_wait=0"))
                #expect(try await client.reply().status == 504, "\(field)")
            }
            #expect(fixture.board.snapshot.orders.count == 3)
        }
    }

    @Test func tooManyOrdersAreToldWhenToComeAgain() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600)), for: user)
            fixture.board.decide(.tooSoon(.milliseconds(2100), .justRefreshed), for: user)
            let client = try await fixture.connect()
            try await client.send(order())
            let reply = try await client.reply()
            #expect(reply.status == 429 && reply.code == "too_many_refreshes")
            #expect(reply.fields["retry-after"] == "3")
        }
    }

    @Test func whatTheEngineCannotDoIsTold() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600)), for: user)
            fixture.board.decide(.unavailable(.tokenUnavailable, retryAfter: .seconds(7)), for: user)
            let client = try await fixture.connect()
            try await client.send(order())
            let reply = try await client.reply()
            #expect(reply.status == 503 && reply.fields["retry-after"] == "7")
            try await client.send(order(path: "/v1/users/nobody/refresh"))
            #expect(try await client.reply().code == "unknown_user")
        }
    }

    @Test func otherMethodsAreNotTaken() throws {
        let connection = try EmbeddedConnection(board: .withUsers())
        let reply = try connection.get(path)
        #expect(reply.status == 405 && reply.fields["allow"] == "POST")
        #expect(try connection.ask(order(path: path + "?max_wait=-1")).code == "bad_request")
    }

    @Test func theRightToTokensIsNotTheRightToRefresh() throws {
        let connection = try EmbeddedConnection(board: .withUsers(), caller: .stranger)
        #expect(try connection.ask(order()).status == 403)
        #expect(try connection.ask(order(path: "/v1/users/nobody/refresh")).status == 403)
    }

    @Test func aCallerWhoLeavesLeavesNothingBehind() async throws {
        try await withOrder { fixture, client in
            try await client.close()
            await fixture.board.when { $0.waiters == 0 }
        }
    }
}
