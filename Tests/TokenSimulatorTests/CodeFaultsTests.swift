// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// Faults that strike the exchange of a code.
@Suite(.timeLimit(.minutes(2))) struct CodeFaultsTests {
    @Test(arguments: [
        #"{"mode":"error_page","status":502,"count":1}"#, #"{"mode":"error_page","body":"empty","count":1}"#,
        #"{"mode":"rate_limited","retry_after_s":7,"count":1}"#, #"{"mode":"redirect","count":1}"#,
        #"{"mode":"user_agent_refused","count":1}"#, #"{"mode":"outage","user":"42","count":1}"#,
        #"{"mode":"refusal","code":"invalid_client","count":1}"#,
    ])
    func anErrorInPlaceOfTheAnswerLeavesTheCodeGood(order: String) async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            try await caller.order(order)
            let faulty = try await caller.exchange(code)
            #expect(faulty.status >= 300)
            let good = try await caller.exchange(code)
            #expect(good.status == 200)
            #expect(caller.simulator.counts.made == 1)
        }
    }

    @Test func aResetBeforeTheWorkLeavesTheCodeGood() async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            try await caller.order(#"{"mode":"reset","when":"before","count":1}"#)
            await #expect(throws: (any Error).self) { try await caller.exchange(code) }
            let good = try await caller.exchange(code)
            #expect(good.status == 200)
        }
    }

    @Test(arguments: [#"{"mode":"lost_reply","count":1}"#, #"{"mode":"reset","when":"after","count":1}"#])
    func aLostReplyHasUsedTheCodeAndToTryAgainCostsTheGrant(order: String) async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            try await caller.order(order)
            await #expect(throws: (any Error).self) { try await caller.exchange(code) }
            #expect(caller.simulator.counts(of: "42").issued == 1)
            let again = try await caller.exchange(code)
            #expect(again.json["error_description"] == "Authorization code already used")
            #expect(caller.simulator.counts.grantsLost == 1)
        }
    }

    @Test(arguments: [
        ("missing_refresh_token", nil), ("null_refresh_token", JSON.null), ("empty_refresh_token", JSON.text("")),
        ("number_refresh_token", JSON.number(42)),
    ])
    func aCodesAnswerCanLackARefreshToken(kind: String, value: JSON?) async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"malformed","kind":"\#(kind)"}"#)
            let reply = try await caller.exchange(try await caller.code())
            #expect(reply.status == 200)
            #expect(reply.json["refresh_token"] == value)
            #expect(reply.json["access_token"]?.text?.isEmpty == false)
            #expect(reply.json["scope"] == "read openid")
            #expect(caller.simulator.counts.count(.malformed) == 1)
        }
    }

    @Test(arguments: ReplyVariant.allCases.filter { $0 != .noContentType && $0 != .chunked })
    func aGoodAnswerInAnotherFormHasEachMemberOnce(variant: ReplyVariant) async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"variant","kind":"\#(variant.rawValue)"}"#)
            let reply = try await caller.exchange(try await caller.code())
            #expect(reply.status == (variant == .created ? 201 : 200))
            for name in ["access_token", "expires_in", "refresh_token", "id_token", "scope"] {
                #expect(reply.text.split(separator: "\"\(name)\"", omittingEmptySubsequences: false).count == 2)
            }
            let grant = try #require(reply.json["refresh_token"]?.text)
            #expect(caller.simulator.isGood(refreshToken: grant))
        }
    }

    @Test func aLifetimeAndADeadAnswerAreTakenToo() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"lifetime","life_ms":2000,"user":"42"}"#)
            let short = try await caller.exchange(try await caller.code())
            #expect(short.json["expires_in"] == 2)
            caller.simulator.clearFaults()
            try await caller.order(#"{"mode":"malformed","kind":"html","count":1}"#)
            let page = try await caller.exchange(try await caller.code())
            #expect(page.status == 200)
            #expect(page.text.contains("<html>"))
        }
    }

    @Test func heldAnswersWait() async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            try await caller.order(#"{"mode":"hold","count":1}"#)
            let held = Task { try await caller.exchange(code) }
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            // The second tab, or the browser's second try.
            let again = try await caller.exchange(code)
            #expect(again.status == 400)
            #expect(caller.simulator.counts(of: "42").overlaps == 1)
            caller.simulator.releaseHeld()
            let reply = try await held.value
            let grant = try #require(reply.json["refresh_token"]?.text)
            #expect(!caller.simulator.isGood(refreshToken: grant))
        }
    }

    @Test func anotherCustomerThanExpectedSignsIn() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"other_customer","user":"42","customer":"99","count":1}"#)
            let reply = try await caller.exchange(try await caller.code(for: "42"))
            let access = try #require(reply.json["access_token"]?.text)
            #expect(caller.simulator.user(ofLiveToken: access) == "99")
            let grant = try #require(reply.json["refresh_token"]?.text)
            let refreshed = try #require(try await caller.refresh(grant).json["access_token"]?.text)
            #expect(caller.simulator.user(ofLiveToken: refreshed) == "99")
            #expect(caller.simulator.counts(of: "99").requests == 2)
            let next = try await caller.exchange(try await caller.code(for: "42"))
            #expect(caller.simulator.user(ofLiveToken: try #require(next.json["access_token"]?.text)) == "42")
        }
    }

    @Test func anExpiredCodeIsOneWhoseTimeIsOver() async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            try await caller.order(#"{"mode":"expired_code","count":1}"#)
            let refused = try await caller.exchange(code)
            #expect(refused.json["error_code"] == "invalid_grant")
            #expect(refused.json["error_description"] == "Authorization code expired")
            #expect(caller.simulator.counts.count(.invalidGrant) == 1)
        }
    }

    @Test func aFaultCanBeForOneKindOfRequestAlone() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            try await caller.order(
                #"{"mode":"error_page","status":500,"count":1,"grant_type":"authorization_code"}"#
            )
            let refreshed = try await caller.refresh(grant)
            #expect(refreshed.status == 200)
            let code = try await caller.code()
            let faulty = try await caller.exchange(code)
            #expect(faulty.status == 500)
            try await caller.order(#"{"mode":"error_page","status":500,"grant_type":"refresh_token"}"#)
            let good = try await caller.exchange(code)
            #expect(good.status == 200)
            let refused = try await caller.refresh(grant)
            #expect(refused.status == 500)
        }
    }
}
