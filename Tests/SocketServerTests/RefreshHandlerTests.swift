// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// One call of `POST refresh` on a loop whose time the test drives. The engine's verdict comes to it from another thread.
private struct RefreshCall {
    let board = BoardDouble()
    let loop = NIOAsyncTestingEventLoop()
    let user = UserID("42")
    /// Everything that was answered; one at most.
    let replies = Mailbox<String>()
    private let handler: NIOLoopBoundBox<RefreshHandler?>

    init() async throws {
        handler = try await loop.executeInContext { [loop] in NIOLoopBoundBox(nil, eventLoop: loop) }
    }

    func begin(maxWait: Int64? = nil, _ fields: (String, String)...) async throws {
        let query = maxWait.map { "max_wait=\($0)" } ?? ""
        let request = try RefreshRequest(user: user, query: query, headers: HTTPHeaders(fields))
        let service = SocketService(
            serving: board,
            enrolling: nil,
            authorizing: nil,
            pages: nil,
            clock: { .newYear },
            access: AccessInForce(AccessRules(ownUser: 1000)),
            limits: SocketLimits(),
            facts: .standIn,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            metrics: .unrecorded,
            audit: .silent,
            usesShortWay: true
        )
        try await loop.executeInContext { [loop, handler, replies] in
            let call = RefreshHandler(request, service: service, eventLoop: loop) { reply in
                var bytes = ByteBuffer()
                reply.write(to: &bytes, as: Reply.Form())
                replies.send(String(buffer: bytes))
            }
            handler.value = call
            call.begin()
        }
    }

    func cancel() async throws {
        try await loop.executeInContext { [handler] in handler.value?.cancel() }
    }

    /// Comes back when the loop has done all that was asked of it.
    func settle() async throws {
        try await loop.executeInContext {}
    }

    func reply() async throws -> RawReply { try RawReply(await replies.next()) }
}

@Suite(.timeLimit(.minutes(1))) struct RefreshHandlerTests {
    @Test func theNextTokenIsTheAnswer() async throws {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600), text: "old"), .underWay, for: call.user)
        try await call.begin()
        await call.board.when { $0.waiters == 1 }
        call.board.publish(.living(.seconds(600), text: "old"), .underWay, for: call.user)
        await call.board.when { $0.waiters == 1 }
        #expect(call.replies.count == 0, "a change that brings no other token is not the end of the wait")
        call.board.publish(.living(.seconds(900), text: "new"), for: call.user)
        let reply = try await call.reply()
        #expect(reply.status == 200 && reply[json: "access_token"] == "new")
        #expect(call.board.snapshot.waiters == 0 && call.board.violations == [])
    }

    @Test(arguments: [(1, 1), (4, 4), (nil, 10), (61, 60)] as [(Int64?, Int64)])
    func theCallerWaitsNoLongerThanHeSaid(maxWait: Int64?, seconds: Int64) async throws {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600)), .underWay, for: call.user)
        try await call.begin(maxWait: maxWait)
        await call.board.when { $0.waiters == 1 }
        await call.loop.advanceTime(by: .milliseconds(seconds * 1000 - 1))
        #expect(call.replies.count == 0)
        await call.loop.advanceTime(by: .milliseconds(1))
        try #require(call.replies.count == 1)
        let reply = try await call.reply()
        #expect(reply.status == 504 && reply.code == "refresh_timeout")
        #expect(call.board.snapshot.waiters == 0 && call.board.violations == [])
    }

    @Test func whoDoesNotWaitStillHasTheRefreshBegun() async throws {
        let call = try await RefreshCall()
        call.board.publish(nil, .underWay, for: call.user)
        try await call.begin(maxWait: 0)
        #expect(try await call.reply().code == "refresh_timeout")
        #expect(call.board.snapshot.orders == [call.user])
    }

    @Test func whoseTimeIsOverBeforeTheVerdictStillLearnsIt() async throws {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600)), for: call.user)
        call.board.decide(.tooSoon(.milliseconds(2100), .justRefreshed), for: call.user)
        call.board.holdVerdicts()
        try await call.begin(maxWait: 1)
        await call.board.when { $0.orders.count == 1 }
        await call.loop.advanceTime(by: .seconds(4))
        #expect(call.replies.count == 0)
        call.board.releaseVerdicts()
        let reply = try await call.reply()
        #expect(reply.status == 429 && reply.fields["retry-after"] == "3")
    }

    @Test(arguments: [1, 5]) func anEngineThatDoesNotAnswerIsNotWaitedForLong(maxWait: Int64) async throws {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600)), .underWay, for: call.user)
        call.board.holdVerdicts()
        try await call.begin(maxWait: maxWait)
        await call.board.when { $0.orders.count == 1 }
        await call.loop.advanceTime(by: .seconds(5))
        try #require(call.replies.count == 1)
        let reply = try await call.reply()
        #expect(reply.status == 503 && reply.code == "overloaded" && reply.fields["retry-after"] == "1")
        call.board.releaseVerdicts()
        call.board.publish(.living(.seconds(900), text: "new"), for: call.user)
        try await call.settle()
        #expect(call.replies.count == 0, "nobody is answered twice")
        #expect(call.board.snapshot.waiters == 0)
    }

    @Test func aCallerWhoVanishesLeavesNoWaiter() async throws {
        let call = try await RefreshCall()
        call.board.publish(nil, .underWay, for: call.user)
        try await call.begin()
        await call.board.when { $0.waiters == 1 }
        try await call.cancel()
        #expect(call.board.snapshot.waiters == 0)
        call.board.publish(.living(.seconds(900)), for: call.user)
        await call.loop.advanceTime(by: .seconds(60))
        #expect(call.replies.count == 0 && call.board.violations == [])
    }

    @Test func anotherTokenThanTheNamedOneIsSaidWithItsValidator() async throws {
        let call = try await RefreshCall()
        let token = PublishedToken.living(.seconds(600))
        call.board.publish(token, for: call.user)
        try await call.begin(("If-Match", "\"older\", W/\(token.etag)"))
        let reply = try await call.reply()
        #expect(reply.status == 412 && reply.code == "stale_token" && reply.fields["etag"] == token.etag)
        #expect(call.board.snapshot.orders == [])
    }

    @Test(
        arguments: [
            (
                RefreshVerdict.unavailable(.reauthorizationRequired, retryAfter: nil), 409, "reauthorization_required",
                nil
            ),
            (.unavailable(.tokenUnavailable, retryAfter: .seconds(7)), 503, "token_unavailable", "7"),
            (.unknownUser, 404, "unknown_user", nil),
            (.tooSoon(.seconds(5), .justRefreshed), 429, "too_many_refreshes", "5"),
        ] as [(RefreshVerdict, Int, String, String?)]
    )
    func whatTheEngineSaysIsTheAnswer(
        _ verdict: RefreshVerdict,
        _ status: Int,
        _ code: String,
        _ wait: String?
    )
        async throws
    {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600)), for: call.user)
        call.board.decide(verdict, for: call.user)
        try await call.begin()
        let reply = try await call.reply()
        #expect(reply.status == status && reply.code == code && reply.fields["retry-after"] == wait)
    }

    @Test(
        arguments: [
            (OrderLimit.justRefreshed, "User 42 got a new token only a moment ago."),
            (.stillStoring, "The new token of user 42 is still being stored in the database."),
            (
                .budgetSpent,
                "User 42 has spent the day's budget of refreshes (refresh.dailyBudgetPerUser); now a token is replaced only "
                    + "when it is about to die."
            ),
        ]
    )
    func whatKeepsAnOrderBackIsTold(_ limit: OrderLimit, _ detail: String) async throws {
        let call = try await RefreshCall()
        call.board.publish(.living(.seconds(600)), for: call.user)
        call.board.decide(.tooSoon(.seconds(5), limit), for: call.user)
        try await call.begin()
        #expect(try await call.reply()[json: "detail"] == detail)
    }

    @Test func aFailingAccountIsToldWithoutTheWordsOfHTTP() async throws {
        let call = try await RefreshCall()
        call.board.publish(nil, .backingOff(until: .newYear + .seconds(3)), for: call.user)
        try await call.begin()
        let told = "The last refresh for user 42 failed; the daemon makes the next one by itself."
        #expect(try await call.reply()[json: "detail"] == told)
    }

    @Test(
        arguments: [
            (RefreshProspect.backingOff(until: .newYear + .seconds(3)), 503, "token_unavailable", "3"),
            (.refused, 409, "reauthorization_required", nil), (.possible, 503, "token_unavailable", "1"),
        ] as [(RefreshProspect, Int, String, String?)]
    )
    func aRefreshThatCameToNothingEndsTheWait(
        _ prospect: RefreshProspect,
        _ status: Int,
        _ code: String,
        _ wait: String?
    ) async throws {
        let call = try await RefreshCall()
        let token = PublishedToken.living(.seconds(600))
        call.board.publish(token, .underWay, for: call.user)
        try await call.begin(("If-Match", token.etag))
        await call.board.when { $0.waiters == 1 }
        call.board.publish(token, prospect, for: call.user)
        let reply = try await call.reply()
        #expect(reply.status == status && reply.code == code && reply.fields["retry-after"] == wait)
    }

    @Test func aUserWhoGoesWhileHeIsWaitedForIsUnknown() async throws {
        let call = try await RefreshCall()
        call.board.publish(nil, .underWay, for: call.user)
        try await call.begin()
        await call.board.when { $0.waiters == 1 }
        call.board.remove(call.user)
        #expect(try await call.reply().code == "unknown_user")
    }
}

/// The same over a real socket: what comes before and after it on a connection.
@Suite(.timeLimit(.minutes(1))) struct RefreshOverTheSocketTests {
    private let user = UserID("42")

    @Test func whatFollowsOnTheConnectionWaitsForItsTurn() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600), text: "old"), .underWay, for: user)
            let client = try await fixture.connect()
            let order = EmbeddedConnection.request("POST", "/v1/users/42/refresh", ["Content-Length: 2"]) + "{}"
            let read = EmbeddedConnection.request("GET", "/v1/users/42/token", [])
            try await client.send(read + order + read + order)
            #expect(try await client.reply()[json: "access_token"] == "old")
            await fixture.board.when { $0.waiters == 1 }
            #expect(fixture.board.snapshot.orders == [user], "one at a time")
            fixture.board.publish(.living(.seconds(600), text: "new"), .underWay, for: user)
            #expect(try await client.reply()[json: "access_token"] == "new")
            #expect(try await client.reply()[json: "access_token"] == "new")
            await fixture.board.when { $0.orders.count == 2 && $0.waiters == 1 }
            fixture.board.publish(.living(.seconds(600), text: "newest"), for: user)
            #expect(try await client.reply()[json: "access_token"] == "newest")
            try await client.close()
        }
    }

    @Test func itTakesPostAndNothingElse() async throws {
        try await SocketFixture.with { fixture in
            let client = try await fixture.connect()
            let reply = try await client.get("/v1/users/42/refresh")
            #expect(reply.status == 405 && reply.fields["allow"] == "POST")
            #expect(fixture.board.snapshot.orders == [])
        }
    }
}
