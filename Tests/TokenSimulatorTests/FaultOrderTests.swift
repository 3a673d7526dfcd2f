// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing

@testable import TokenSimulator

@Suite struct FaultOrderTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)

    @Test func aBareNameAndJSONAreReadAlike() throws {
        let bare = try FaultText.read("rotation")
        #expect(bare.fault == Fault(.rotation(.strict)))
        #expect(bare.scope == .all)
        let own = try FaultText.read(#"{"mode":"hang","user":"42","count":2}"#)
        #expect(own.fault == Fault(.hang(.before), count: 2))
        #expect(own.scope == .account("42"))
        for text in ["", "odd", "malformed", "{", #"{"mode":"odd"}"#] {
            #expect(throws: SimulatorFailure.self) { try FaultText.read(text) }
        }
    }

    private func order(_ text: String) throws -> FaultOrder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(FaultOrder.self, from: Data(text.utf8))
    }

    private static let orders: [(String, Fault)] = [
        (#"{"mode":"latency","min_ms":50,"max_ms":200}"#, Fault(.latency(.milliseconds(50) ... .milliseconds(200)))),
        (#"{"mode":"latency","min_ms":50}"#, Fault(.latency(.milliseconds(50) ... .milliseconds(50)))),
        (#"{"mode":"hold","count":2}"#, Fault(.hold, count: 2)),
        (#"{"mode":"lifetime","life_ms":2500}"#, Fault(.lifetime(.milliseconds(2500)))),
        (#"{"mode":"error_page"}"#, Fault(.errorPage(ErrorPage(503)))),
        (
            #"{"mode":"error_page","status":429,"body":"empty","retry_after":"5"}"#,
            Fault(.errorPage(ErrorPage(429, body: .empty, retryAfter: "5")))
        ),
        (
            #"{"mode":"refusal","code":"invalid_grant","description":"Grant revoked"}"#,
            Fault(.refusal(status: 400, code: "invalid_grant", description: "Grant revoked"))
        ),
        (#"{"mode":"reset"}"#, Fault(.reset(.before))), (#"{"mode":"reset","when":"after"}"#, Fault(.reset(.after))),
        (#"{"mode":"outage","for_ms":3000}"#, Fault(.outage(.unavailable), duration: .seconds(3))),
        (#"{"mode":"outage","style":"reset","for_ms":3000}"#, Fault(.outage(.reset), duration: .seconds(3))),
        (#"{"mode":"raw","text":"x"}"#, Fault(.raw(Array("x".utf8), closes: true))),
        (#"{"mode":"raw","text":"x","closes":false}"#, Fault(.raw(Array("x".utf8), closes: false))),
        (#"{"mode":"hang"}"#, Fault(.hang(.before))), (#"{"mode":"hang","when":"after"}"#, Fault(.hang(.after))),
        (#"{"mode":"drip"}"#, Fault(.drip(bytes: 1, every: .milliseconds(100)))),
        (#"{"mode":"drip","bytes":7,"every_ms":20}"#, Fault(.drip(bytes: 7, every: .milliseconds(20)))),
        (#"{"mode":"lost_reply"}"#, Fault(.lostReply(sentBytes: 0))),
        (#"{"mode":"lost_reply","bytes":9}"#, Fault(.lostReply(sentBytes: 9))),
        (#"{"mode":"truncated"}"#, Fault(.truncated(share: 0.5))),
        (#"{"mode":"truncated","share":0.25}"#, Fault(.truncated(share: 0.25))),
        (#"{"mode":"error_page","body":"waf"}"#, Fault(.errorPage(ErrorPage(403, body: .waf)))),
        (
            #"{"mode":"refusal","code":"invalid_client"}"#,
            Fault(.refusal(status: 401, code: "invalid_client", description: "Client secret mismatch"))
        ),
        (
            #"{"mode":"refusal","code":"x","status":418,"description":"y","shape":"numeric"}"#,
            Fault(.refusal(status: 418, code: "x", description: "y", shape: .numeric))
        ),
        (#"{"mode":"user_agent_refused"}"#, Fault(.userAgentRefused(isEmpty: false))),
        (#"{"mode":"user_agent_refused","body":"empty"}"#, Fault(.userAgentRefused(isEmpty: true))),
        (#"{"mode":"rate_limited"}"#, Fault(.rateLimited(.none))),
        (#"{"mode":"rate_limited","retry_after":"soon"}"#, Fault(.rateLimited(.text("soon")))),
        (#"{"mode":"rate_limited","retry_after_s":9}"#, Fault(.rateLimited(.seconds(9)))),
        (#"{"mode":"rate_limited","retry_after_date_s":-9}"#, Fault(.rateLimited(.date(after: .seconds(-9))))),
        (#"{"mode":"redirect"}"#, Fault(.redirect(status: 302, location: "/oauth/moved"))),
        (#"{"mode":"redirect","status":308,"location":"/x"}"#, Fault(.redirect(status: 308, location: "/x"))),
        (#"{"mode":"odd_lifetime","kind":"one_second"}"#, Fault(.oddLifetime(.oneSecond))),
        (#"{"mode":"malformed","kind":"gzip_bomb"}"#, Fault(.malformed(.gzipBomb))),
        (#"{"mode":"variant","kind":"created"}"#, Fault(.variant(.created))),
        (#"{"mode":"huge"}"#, Fault(.huge(bytes: 10 << 20, .body))),
        (#"{"mode":"huge","bytes":7,"part":"header"}"#, Fault(.huge(bytes: 7, .header))),
        (#"{"mode":"same_token"}"#, Fault(.sameToken(.remaining))),
        (#"{"mode":"same_token","style":"cached"}"#, Fault(.sameToken(.cached))),
        (#"{"mode":"kills_previous"}"#, Fault(.killsPrevious)),
        (#"{"mode":"rotation"}"#, Fault(.rotation(.strict))),
        (#"{"mode":"rotation","style":"grace"}"#, Fault(.rotation(.grace(.seconds(30))))),
        (#"{"mode":"rotation","style":"grace","grace_ms":50}"#, Fault(.rotation(.grace(.milliseconds(50))))),
        (#"{"mode":"rotation","style":"silent"}"#, Fault(.rotation(.silent))),
        (#"{"mode":"certificate","kind":"other_name"}"#, Fault(.certificate(.otherName))),
        (#"{"mode":"other_customer"}"#, Fault(.otherCustomer("another"))),
        (#"{"mode":"other_customer","customer":"99"}"#, Fault(.otherCustomer("99"))),
        (
            #"{"mode":"expired_code","grant_type":"authorization_code"}"#,
            Fault(.expiredCode, grantType: .authorizationCode)
        ),
        (#"{"mode":"hang","grant_type":"refresh_token"}"#, Fault(.hang(.before), grantType: .refreshToken)),
        (#"{"mode":"flaky"}"#, Fault(.flaky(Flakiness(share: 0.1)))),
        (#"{"mode":"flaky","share":1,"kinds":["hang"]}"#, Fault(.flaky(Flakiness(share: 1, kinds: [.hang])))),
    ]

    @Test func everyModeIsAmongTheOrders() throws {
        let modes = Set(try Self.orders.map { try order($0.0).mode })
        #expect(modes == Set(FaultName.allCases))
    }

    @Test(arguments: orders)
    func ordersAreRead(text: String, fault: Fault) throws {
        #expect(try order(text).fault() == fault)
    }

    @Test(arguments: orders)
    func whatIsShownOrdersTheSameFault(text: String, fault: Fault) throws {
        var book = FaultBook()
        let scope: FaultScope = if case .certificate = fault.mode { .all } else { .account("7") }
        book.set(fault, for: scope, at: now)
        let shown = FaultOrder(try #require(book.active(at: now).first), at: now)
        #expect(try shown.fault() == fault)
        #expect(shown.scope == scope)
    }

    @Test(arguments: [
        #"{"mode":"latency"}"#, #"{"mode":"latency","min_ms":-1}"#, #"{"mode":"lifetime"}"#,
        #"{"mode":"error_page","status":99}"#, #"{"mode":"error_page","body":"xml"}"#, #"{"mode":"refusal"}"#,
        #"{"mode":"reset","when":"never"}"#, #"{"mode":"outage","style":"reset"}"#, #"{"mode":"raw"}"#,
        #"{"mode":"hold","count":0}"#, #"{"mode":"hold","for_ms":1e99}"#,
        #"{"mode":"drip","bytes":0}"#, #"{"mode":"lost_reply","bytes":-1}"#, #"{"mode":"truncated","share":1.5}"#,
        #"{"mode":"user_agent_refused","body":"waf"}"#, #"{"mode":"redirect","status":200}"#,
        #"{"mode":"redirect","location":"/\r\nX: y"}"#, #"{"mode":"rate_limited","retry_after":"1\r\nX: y"}"#,
        #"{"mode":"rate_limited","retry_after":"1","retry_after_s":1}"#, #"{"mode":"odd_lifetime"}"#,
        #"{"mode":"rate_limited","retry_after_date_s":1e99}"#, #"{"mode":"malformed","kind":"odd"}"#,
        #"{"mode":"huge","bytes":99999999999}"#, #"{"mode":"rotation","style":"loose"}"#,
        #"{"mode":"flaky","kinds":[]}"#, #"{"mode":"flaky","kinds":["odd"]}"#, #"{"mode":"same_token","style":"x"}"#,
        #"{"mode":"hold","grant_type":"password"}"#, #"{"mode":"outage","grant_type":"refresh_token"}"#,
        #"{"mode":"certificate","kind":"expired","grant_type":"refresh_token"}"#,
        #"{"mode":"refusal","code":"x","shape":"odd"}"#, #"{"mode":"hang","when":"never"}"#,
    ])
    func whatMakesNoSenseIsRefused(text: String) throws {
        let order = try order(text)
        #expect(throws: SimulatorFailure.self) { try order.fault() }
    }
}
