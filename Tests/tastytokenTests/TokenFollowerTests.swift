// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI
import Testing

@testable import tastytoken

@Suite struct TokenFollowerTests {
    private func reply(_ text: String) throws -> HTTPReply {
        try #require(try HTTPReply.parse(Array(text.utf8)))
    }

    @Test func aTokenIsToldOnceAndTheNextOneIsWaitedFor() throws {
        var follower = TokenFollower(user: "4/2")
        #expect(follower.request == SocketRequest(target: "/v1/users/4%2F2/token"))
        let first = try follower.take(reply(ScriptedServer.token("a")), after: 1, chance: 0)
        #expect(first.line?.contains(#""access_token":"a""#) == true)
        #expect((first.remark, first.pause) == (nil, 0))
        let waiting = SocketRequest(
            target: "/v1/users/4%2F2/token?min_ttl=0",
            fields: [("If-None-Match", "\"a\""), ("Prefer", "wait=60")]
        )
        #expect(follower.request == waiting)
        #expect(try follower.take(reply(ScriptedServer.reply(304)), after: 60_000, chance: 0) == FollowStep())
        #expect(
            try follower.take(reply(ScriptedServer.token("b")), after: 1, chance: 0).line?.contains("\"b\"") == true
        )
    }

    @Test(arguments: [ScriptedServer.reply(304), ScriptedServer.token("a")])
    func whatShouldHaveBeenHeldAndComesAtOnceIsNotAskedForInACircle(again: String) throws {
        var follower = TokenFollower(user: "42")
        _ = try follower.take(reply(ScriptedServer.token("a")), after: 1, chance: 0)
        #expect(try follower.take(reply(again), after: 3, chance: 0) == FollowStep(pause: 997))
    }

    @Test func aTokenThatIsAboutToDieIsToldWithARemark() throws {
        var follower = TokenFollower(user: "42")
        let short = ScriptedServer.token("a", expiresIn: 9, ["Tastytokend-Degraded: token_unavailable"])
        let step = try follower.take(reply(short), after: 1, chance: 0)
        #expect(step.remark == "the token of user 42 lives for 9 s only (token_unavailable)")
        #expect(step.line != nil)
    }

    @Test func aTroubleIsToldOnceAndAskedAboutLessAndLessOften() throws {
        var follower = TokenFollower(user: "42")
        let busy = try reply(ScriptedServer.problem(503, "token_unavailable", "Not now."))
        let steps = try (0..<8).map { _ in try follower.take(busy, after: 1, chance: 0) }
        #expect(steps.map(\.pause) == [250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
        #expect(steps.map(\.remark) == ["still watching user 42: Not now."] + Array(repeating: nil, count: 7))
        let most = try follower.take(busy, after: 1, chance: 0.999)
        #expect((9990...10_000).contains(most.pause))
        let token = try follower.take(reply(ScriptedServer.token("a")), after: 1, chance: 0)
        #expect(token.remark == "watching user 42: all is well again")
        #expect(follower.request.fields.map(\.name) == ["If-None-Match", "Prefer"])
        #expect(try follower.take(busy, after: 1, chance: 0).pause == 250)
        // Whether it is over is asked without waiting.
        #expect(follower.request.fields.map(\.name) == ["If-None-Match"])
    }

    @Test func theDaemonMayPutItOffButNotForever() throws {
        for (wanted, pause) in [("7", 7000), ("86400", 60_000), ("x", 250), ("-1", 250)] {
            var follower = TokenFollower(user: "42")
            let busy = try reply(ScriptedServer.problem(503, "token_unavailable", "no", ["Retry-After: \(wanted)"]))
            #expect(try follower.take(busy, after: 1, chance: 0).pause == pause)
        }
    }

    @Test(arguments: [ENOENT, EAGAIN]) func aDaemonThatIsNotThereYetIsWaitedForAndToldOnce(error: Int32) throws {
        let away = Failure.unreachable("/nowhere/s", error)
        var follower = TokenFollower(user: "42")
        let steps = try (0..<3).map { _ in try follower.lost(away, chance: 0) }
        #expect(steps.map(\.remark) == ["still watching user 42: \(away.text)", nil, nil])
        #expect(steps.map(\.pause) == [250, 500, 1000])
        let token = try follower.take(reply(ScriptedServer.token("a")), after: 1, chance: 0)
        #expect(token.remark == "watching user 42: all is well again")
    }

    @Test(arguments: [EACCES, EPERM, ENOTDIR, EPROTOTYPE, ECONNREFUSED])
    func whereThereCanBeNoDaemonNoneIsWaitedFor(error: Int32) throws {
        // A folder is no socket.
        let never = Failure.unreachable("/", error)
        var follower = TokenFollower(user: "42")
        #expect(throws: never) { try follower.lost(never, chance: 0) }
    }

    @Test func aSocketThatIsClosedFromTheStartEndsItAndLaterDoesNot() throws {
        let away = Failure(.notAllowed, "closed")
        var follower = TokenFollower(user: "42")
        #expect(throws: away) { try follower.lost(away, chance: 0) }
        _ = try follower.take(reply(ScriptedServer.problem(504, "refresh_timeout", "no")), after: 1, chance: 0)
        #expect(try follower.lost(away, chance: 0).remark == "still watching user 42: closed")
    }

    @Test(arguments: [(403, "forbidden"), (404, "unknown_user"), (409, "no_grant"), (400, "bad_request")])
    func whatWillBeTheSameTheNextTimeEndsIt(status: Int, code: String) throws {
        var follower = TokenFollower(user: "42")
        _ = try follower.take(reply(ScriptedServer.token("a")), after: 1, chance: 0)
        let refusal = try reply(ScriptedServer.problem(status, code, "no"))
        #expect(throws: Failure.self) { try follower.take(refusal, after: 1, chance: 0) }
    }
}
