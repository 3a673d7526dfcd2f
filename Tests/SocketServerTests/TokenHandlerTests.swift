// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The table of product.md, GET token, as a caller sees it, with time in the test's hands.
@Suite struct TokenHandlerTests {
    private let user = UserID("42")
    private let path = "/v1/users/42/token"

    @Test func aTokenThatLivesLongEnoughIsGivenWhateverTheStatus() throws {
        let token = PublishedToken.living(.seconds(600))
        let prospects: [RefreshProspect] = [
            .possible, .underWay, .backingOff(until: .newYear + .seconds(5)), .refused, .unknownOutcome, .unreadable,
            .noGrant,
        ]
        for prospect in prospects {
            let connection = try EmbeddedConnection()
            connection.board.publish(token, prospect, for: user)
            let reply = try connection.get(path)
            #expect(reply.status == 200)
            #expect(reply[json: "expires_in"] == "600")
            #expect(reply[json: "access_token"] == "eyJhbGciOiJFZERTQSJ9.e30.c2ln")
            #expect(reply.fields["etag"] == token.etag)
            #expect(reply.fields["cache-control"] == "no-store")
            #expect(reply.fields["tastytokend-degraded"] == nil)
            #expect(connection.board.snapshot.refreshes.isEmpty)
        }
    }

    @Test(arguments: [
        (RefreshProspect.backingOff(until: .newYear + .seconds(5)), "token_unavailable"),
        (.refused, "reauthorization_required"), (.unknownOutcome, "unknown_outcome"), (.unreadable, "unreadable_grant"),
        (.noGrant, "no_grant"),
    ])
    func aShortTokenThatCannotBeMendedIsGivenAtOnceAndSaysWhy(prospect: RefreshProspect, code: String) throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.milliseconds(20_900)), prospect, for: user)
        let reply = try connection.get(path)
        #expect(reply.status == 200)
        #expect(reply[json: "expires_in"] == "20", "rounded down")
        #expect(reply.fields["tastytokend-degraded"] == code)
    }

    @Test func aShortTokenIsWaitedForAndTheNextOneGiven() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(20)), for: user)
        try connection.send(EmbeddedConnection.request("GET", path, []))
        #expect(try connection.received() == "")
        #expect(connection.board.snapshot.refreshes == [user])
        connection.board.publish(.living(.seconds(20)), .underWay, for: user)
        connection.loop.run()
        #expect(try connection.received() == "", "a change that brings no token is not the end of the wait")
        connection.board.publish(.living(.seconds(900), text: "next"), for: user)
        connection.loop.run()
        let reply = try RawReply(connection.received())
        #expect(reply[json: "access_token"] == "next")
        #expect(connection.board.snapshot.waiters == 0)
        #expect(connection.board.violations == [])
    }

    @Test func aShortTokenIsGivenWhenTheWaitIsOver() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(20)), .underWay, for: user)
        try connection.send(EmbeddedConnection.request("GET", path + "?max_wait=3", []))
        connection.loop.advanceTime(by: .milliseconds(2999))
        #expect(try connection.received() == "")
        connection.clock.advance(by: .seconds(3))
        connection.loop.advanceTime(by: .milliseconds(1))
        let reply = try RawReply(connection.received())
        #expect(reply.status == 200)
        #expect(reply[json: "expires_in"] == "17", "the true number")
        #expect(reply.fields["tastytokend-degraded"] == "refresh_timeout")
        #expect(connection.board.snapshot.waiters == 0)
    }

    @Test(arguments: [(nil, 10), ("0", 0), ("7", 7), ("60", 60), ("61", 60), ("99999999999999999999", 60)])
    func withoutATokenTheWaitEndsIn504(maxWait: String?, seconds: Int64) throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(nil, .possible, for: user)
        try connection.send(EmbeddedConnection.request("GET", path + (maxWait.map { "?max_wait=" + $0 } ?? ""), []))
        if seconds > 0 {
            connection.loop.advanceTime(by: .milliseconds(seconds * 1000 - 1))
            #expect(try connection.received() == "")
            connection.loop.advanceTime(by: .milliseconds(1))
        }
        let reply = try RawReply(connection.received())
        #expect(reply.status == 504)
        #expect(reply.code == "refresh_timeout")
        #expect(connection.board.snapshot.refreshes.first == user, "asked for even by a caller who does not wait")
    }

    @Test func aShortTokenAskedForWithoutWaitingStartsTheRefreshForTheNextCaller() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(20)), for: user)
        let reply = try connection.get(path + "?max_wait=0")
        #expect(reply.status == 200)
        #expect(reply.fields["tastytokend-degraded"] == "refresh_timeout")
        #expect(connection.board.snapshot.refreshes == [user])
    }

    @Test(arguments: [
        (RefreshProspect.refused, 409, "reauthorization_required"), (.unknownOutcome, 409, "unknown_outcome"),
        (.unreadable, 409, "unreadable_grant"), (.noGrant, 409, "no_grant"),
        (.backingOff(until: .newYear + .milliseconds(4100)), 503, "token_unavailable"),
    ])
    func aDeadTokenIsNeverGiven(prospect: RefreshProspect, status: Int, code: String) throws {
        for token in [nil, PublishedToken.living(.zero), .living(.seconds(-1))] {
            let connection = try EmbeddedConnection()
            connection.board.publish(token, prospect, for: user)
            let reply = try connection.get(path)
            #expect(reply.status == status)
            #expect(reply.code == code)
            #expect(reply.fields["content-type"] == "application/problem+json")
            #expect(reply.fields["retry-after"] == (status == 503 ? "5" : nil))
            #expect(connection.board.snapshot.refreshes.isEmpty, "a grant that is backing off is not waited for")
        }
    }

    @Test func minimumLifeIsTheCallersUpToHalfALife() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(450)), .noGrant, for: user)
        #expect(try connection.get(path + "?min_ttl=450").fields["tastytokend-degraded"] == nil)
        #expect(try connection.get(path + "?min_ttl=9999").fields["tastytokend-degraded"] == nil)
        connection.clock.advance(by: .seconds(1))
        #expect(try connection.get(path + "?min_ttl=449").fields["tastytokend-degraded"] == nil)
        #expect(try connection.get(path + "?min_ttl=450").fields["tastytokend-degraded"] == "no_grant")
        #expect(try connection.get(path + "?min_ttl=0&x=y").fields["tastytokend-degraded"] == nil)
    }

    @Test(arguments: [
        "min_ttl=-1", "max_wait=-1", "min_ttl=1.5", "max_wait=x", "min_ttl=", "max_wait", "min_ttl=+1",
        "min_ttl=1&min_ttl=1",
        "max_wait=1e1", "max_wait=%31%", "min_ttl=0x10",
    ])
    func whatIsNoWholeNumberIs400(query: String) throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(600)), for: user)
        let reply = try connection.get(path + "?" + query)
        #expect(reply.status == 400)
        #expect(reply.code == "bad_request")
    }

    @Test func plainTextIsTheBareTokenUnderTheSameValidator() throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(600), text: "a\"b\\c\u{1}d")
        connection.board.publish(token, for: user)
        let reply = try connection.get(path, "Accept: text/plain")
        #expect(reply.body == "a\"b\\c\u{1}d", "no newline, no escapes")
        #expect(reply.fields["content-type"] == "text/plain")
        #expect(reply.fields["cache-control"] == "no-store")
        #expect(reply.fields["etag"] == token.etag)
    }

    @Test func headHasTheFieldsOfGetAndNoBody() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(.living(.seconds(600)), for: user)
        let get = try connection.get(path)
        let head = try connection.ask(EmbeddedConnection.request("HEAD", path, []))
        #expect(head.fields == get.fields)
        #expect(head.body == "")
        #expect(head.fields["content-length"] == String(get.body.utf8.count))
    }
}

extension TokenHandlerTests {
    @Test(arguments: ["%", "W/%", "\"x\", %", "*"])
    func aTokenTheCallerHasIs304(form: String) throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(600))
        connection.board.publish(token, for: user)
        let field = "If-None-Match: " + form.replacing("%", with: token.etag)
        try connection.send(EmbeddedConnection.request("GET", path, [field]))
        #expect(
            try connection.received()
                == "HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\nETag: \(token.etag)\r\n\r\n"
        )
        #expect(try connection.get(path, "If-None-Match: \"other\"").status == 200)
    }

    @Test func theValidatorIsLookedAtOnlyOnceTheTokenLivesLongEnough() throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(20))
        connection.board.publish(token, .noGrant, for: user)
        #expect(try connection.get(path, "If-None-Match: \(token.etag)").status == 200)
    }

    @Test func withPreferTheNextTokenIsWaitedFor() throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(600))
        connection.board.publish(token, for: user)
        let fields = ["If-None-Match: \(token.etag)", "Prefer: respond-async, wait=30"]
        try connection.send(EmbeddedConnection.request("GET", path, fields))
        connection.loop.advanceTime(by: .seconds(29))
        #expect(try connection.received() == "")
        #expect(connection.board.snapshot.refreshes.isEmpty, "the schedule makes the next token")
        connection.board.publish(.living(.seconds(900), text: "next"), for: user)
        connection.loop.run()
        #expect(try RawReply(connection.received())[json: "access_token"] == "next")
    }

    @Test(arguments: [("wait=30", 30), ("wait=100", 60), ("wait=\"5\"", 5)])
    func preferEndsIn304(preference: String, seconds: Int64) throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(600))
        connection.board.publish(token, for: user)
        let fields = ["If-None-Match: \(token.etag)", "Prefer: \(preference)"]
        try connection.send(EmbeddedConnection.request("GET", path + "?max_wait=0", fields))
        connection.loop.advanceTime(by: .milliseconds(seconds * 1000 - 1))
        #expect(try connection.received() == "")
        connection.loop.advanceTime(by: .milliseconds(1))
        #expect(try RawReply(connection.received()).status == 304)
    }

    @Test(arguments: ["wait=0", "wait=-1", "wait=abc", "wait", "respond-async"])
    func aPreferenceThatIsNoWaitDoesNotWait(preference: String) throws {
        let connection = try EmbeddedConnection()
        let token = PublishedToken.living(.seconds(600))
        connection.board.publish(token, for: user)
        #expect(try connection.get(path, "If-None-Match: \(token.etag)", "Prefer: \(preference)").status == 304)
        #expect(try connection.get(path, "Prefer: wait=30").status == 200, "ignored without a validator")
    }

    @Test func aCallerWhoVanishesLeavesNoWaiter() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(nil, .underWay, for: user)
        try connection.send(EmbeddedConnection.request("GET", path, []))
        #expect(connection.board.snapshot.waiters == 1)
        _ = try connection.channel.finish()
        #expect(connection.board.snapshot.waiters == 0)
        connection.board.publish(.living(.seconds(900)), for: user)
        connection.loop.run()
        #expect(connection.board.violations == [])
    }

    @Test func aUserWhoGoesWhileHeIsWaitedForIsUnknown() throws {
        let connection = try EmbeddedConnection()
        connection.board.publish(nil, .underWay, for: user)
        try connection.send(EmbeddedConnection.request("GET", path, []))
        connection.board.remove(user)
        connection.loop.run()
        #expect(try RawReply(connection.received()).code == "unknown_user")
    }

    @Test func nobodyIsUnknownUntilEveryAccountIsLoaded() throws {
        let connection = try EmbeddedConnection()
        connection.board.setReady(false)
        let early = try connection.get(path)
        #expect(early.status == 503)
        #expect(early.code == "token_unavailable")
        #expect(early.fields["retry-after"] == "1")
        connection.board.setReady(true)
        let late = try connection.get(path)
        #expect(late.status == 404)
        #expect(late.code == "unknown_user")
    }
}
