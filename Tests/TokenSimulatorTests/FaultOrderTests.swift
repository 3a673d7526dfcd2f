// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing

@testable import TokenSimulator

@Suite struct FaultOrderTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)

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
    ]

    @Test(arguments: orders)
    func ordersAreRead(text: String, fault: Fault) throws {
        #expect(try order(text).fault() == fault)
    }

    @Test(arguments: orders)
    func whatIsShownOrdersTheSameFault(text: String, fault: Fault) throws {
        var book = FaultBook()
        book.set(fault, for: .account("7"), at: now)
        let shown = FaultOrder(try #require(book.active(at: now).first), at: now)
        #expect(try shown.fault() == fault)
        #expect(shown.scope == .account("7"))
    }

    @Test(arguments: [
        #"{"mode":"latency"}"#, #"{"mode":"latency","min_ms":-1}"#, #"{"mode":"lifetime"}"#,
        #"{"mode":"error_page","status":99}"#, #"{"mode":"error_page","body":"xml"}"#, #"{"mode":"refusal"}"#,
        #"{"mode":"reset","when":"never"}"#, #"{"mode":"outage","style":"reset"}"#, #"{"mode":"raw"}"#,
        #"{"mode":"hold","count":0}"#, #"{"mode":"hold","for_ms":1e99}"#,
    ])
    func whatMakesNoSenseIsRefused(text: String) throws {
        let order = try order(text)
        #expect(throws: SimulatorFailure.self) { try order.fault() }
    }
}
