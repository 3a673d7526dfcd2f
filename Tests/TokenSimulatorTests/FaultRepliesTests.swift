// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// A reply that must come, byte for byte; its length and end of connection are added.
struct ExpectedReply: Sendable, CustomTestStringConvertible {
    let order: String
    let status: String
    let fields: [String]
    let body: String
    let outcome: RequestOutcome

    init(_ order: String, _ status: String, _ fields: [String], _ body: String, _ outcome: RequestOutcome) {
        (self.order, self.status, self.fields, self.body, self.outcome) = (order, status, fields, body, outcome)
    }

    var testDescription: String { order }

    func bytes(bodyLength: Int) -> String {
        let lines = ["HTTP/1.1 \(status)"] + fields + ["Content-Length: \(bodyLength)", "Connection: close"]
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}

private let json = "Content-Type: application/json"
private let html = "Content-Type: text/html"
private let success = [json, "Cache-Control: no-store"]

private func page(_ title: String) -> String {
    """
    <html>\r
    <head><title>\(title)</title></head>\r
    <body>\r
    <center><h1>\(title)</h1></center>\r
    <hr><center>nginx</center>\r
    </body>\r
    </html>\r

    """
}

/// Each fault over the control route, and the bytes that it makes the server send.
@Suite(.timeLimit(.minutes(2))) struct FaultRepliesTests {
    static let refusals: [ExpectedReply] = [
        .init(#"{"mode":"error_page","status":502}"#, "502 Bad Gateway", [html], page("502 Bad Gateway"), .errorPage),
        .init(
            #"{"mode":"error_page"}"#,
            "503 Service Unavailable",
            [html],
            page("503 Service Temporarily Unavailable"),
            .errorPage
        ),
        .init(
            #"{"mode":"error_page","status":504,"retry_after":"3"}"#,
            "504 Gateway Timeout",
            [html, "Retry-After: 3"],
            page("504 Gateway Time-out"),
            .errorPage
        ),
        .init(
            #"{"mode":"error_page","status":500,"body":"json"}"#,
            "500 Internal Server Error",
            [json],
            #"{"error":{"code":"internal_error","message":"Internal Server Error"}}"#,
            .errorPage
        ),
        .init(#"{"mode":"error_page","status":400,"body":"empty"}"#, "400 Bad Request", [], "", .errorPage),
        .init(
            #"{"mode":"error_page","body":"waf"}"#,
            "403 Forbidden",
            ["Content-Type: text/html; charset=utf-8"],
            """
            <!DOCTYPE html>
            <html lang="en"><head><title>Request blocked</title></head>
            <body><h1>Request blocked</h1>
            <p>Our firewall took this request for an attack. Reference: 7a57e51d0bad</p></body></html>

            """,
            .errorPage
        ),
        .init(
            #"{"mode":"user_agent_refused"}"#,
            "401 Unauthorized",
            [html],
            page("401 Authorization Required"),
            .userAgentRefused
        ),
        .init(#"{"mode":"user_agent_refused","body":"empty"}"#, "401 Unauthorized", [], "", .userAgentRefused),
        .init(
            #"{"mode":"redirect"}"#,
            "302 Found",
            [html, "Location: /oauth/moved"],
            page("302 Found"),
            .redirected
        ),
        .init(
            #"{"mode":"redirect","status":307,"location":"https://127.0.0.1:1/x"}"#,
            "307 Temporary Redirect",
            [html, "Location: https://127.0.0.1:1/x"],
            page("307 Temporary Redirect"),
            .redirected
        ),
        .init(
            #"{"mode":"outage"}"#,
            "503 Service Unavailable",
            [html],
            page("503 Service Temporarily Unavailable"),
            .outage
        ),
    ]

    private static func limited(_ members: String, _ field: String?) -> ExpectedReply {
        .init(
            #"{"mode":"rate_limited"\#(members)}"#,
            "429 Too Many Requests",
            [json] + (field.map { ["Retry-After: \($0)"] } ?? []),
            #"{"error":{"code":"too_many_requests","message":"Too Many Requests"}}"#,
            .rateLimited
        )
    }

    static let limits: [ExpectedReply] = [
        limited("", nil),
        limited(#","retry_after_s":7"#, "7"),
        limited(#","retry_after_s":-1"#, "-1"),
        limited(#","retry_after_date_s":90"#, "Thu, 01 Jan 2026 00:01:30 GMT"),
        limited(#","retry_after_date_s":-3600"#, "Wed, 31 Dec 2025 23:00:00 GMT"),
        limited(#","retry_after":"99999999999999999999""#, "99999999999999999999"),
        limited(#","retry_after":"tomorrow""#, "tomorrow"),
    ]

    private static func refused(_ members: String, _ status: String, _ body: String) -> ExpectedReply {
        .init(#"{"mode":"refusal",\#(members)}"#, status, [json], body, .refusalFault)
    }

    private static func coded(_ code: String, _ status: String, _ text: String) -> ExpectedReply {
        refused(#""code":"\#(code)""#, status, #"{"error_code":"\#(code)","error_description":"\#(text)"}"#)
    }

    private static func shaped(_ shape: String, _ body: String) -> ExpectedReply {
        refused(#""code":"invalid_grant","description":"No","shape":"\#(shape)""#, "400 Bad Request", body)
    }

    static let verdicts: [ExpectedReply] = [
        coded("invalid_grant", "400 Bad Request", "Grant revoked"),
        coded("invalid_request", "400 Bad Request", "User is not a TastyTrade customer"),
        coded("invalid_client", "401 Unauthorized", "Client secret mismatch"),
        coded("unauthorized_client", "400 Bad Request", "Client is not allowed to use this grant type"),
        coded("unsupported_grant_type", "400 Bad Request", "Unsupported grant type"),
        coded("invalid_scope", "400 Bad Request", "Scope exceeds the grant"),
        coded("access_denied", "403 Forbidden", "Access denied"),
        coded("server_error", "500 Internal Server Error", "Internal error"),
        coded("temporarily_unavailable", "503 Service Unavailable", "Temporarily unavailable"),
        coded("made_up", "400 Bad Request", "Refused"),
        refused(
            #""code":"invalid_grant","status":200"#,
            "200 OK",
            #"{"error_code":"invalid_grant","error_description":"Grant revoked"}"#
        ),
        shaped("tastytrade", #"{"error_code":"invalid_grant","error_description":"No"}"#),
        shaped("rfc6749", #"{"error":"invalid_grant","error_description":"No"}"#),
        shaped("envelope", #"{"error":{"code":"invalid_grant","message":"No"}}"#),
        shaped(
            "envelope_errors",
            #"{"error":{"code":"invalid_grant","errors":[{"domain":"invalid_grant","reason":"No"}],"message":"No"}}"#
        ),
        shaped("numeric", #"{"error":{"code":400,"message":"No"}}"#),
        shaped("description", #"{"error_description":"No"}"#),
        shaped("message", #"{"message":"No"}"#),
    ]

    @Test(arguments: refusals + limits + verdicts)
    func aRefusalComesByteForByteAndDoesNothing(expected: ExpectedReply) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            try await caller.order(expected.order)
            let reply = try await caller.rawRefresh(grant)
            #expect(reply.ending == .closed)
            #expect(reply.text == expected.bytes(bodyLength: expected.body.utf8.count))
            #expect(caller.simulator.counts.outcomes == [expected.outcome.rawValue: 1])
            #expect(caller.simulator.counts.made == 0)
        }
    }

    private static func odd(_ kind: OddLifetime, _ member: String) -> ExpectedReply {
        .init(
            #"{"mode":"odd_lifetime","kind":"\#(kind.rawValue)"}"#,
            "200 OK",
            success,
            #"{"access_token":"{access}","token_type":"Bearer"\#(member)}"#,
            .issued
        )
    }

    static let lifetimes: [ExpectedReply] = [
        odd(.missing, ""), odd(.null, #","expires_in":null"#), odd(.negative, #","expires_in":-900"#),
        odd(.zero, #","expires_in":0"#), odd(.oneSecond, #","expires_in":1"#), odd(.string, #","expires_in":"900""#),
        odd(.word, #","expires_in":"soon""#), odd(.fraction, #","expires_in":900.5"#),
        odd(.exponent, #","expires_in":9e2"#), odd(.huge, #","expires_in":9223372036854775807"#),
        odd(.overflow, #","expires_in":1e400"#), odd(.boolean, #","expires_in":true"#),
        odd(.list, #","expires_in":[900]"#),
        .init(
            #"{"mode":"lifetime","life_ms":2900}"#,
            "200 OK",
            success,
            #"{"access_token":"{access}","token_type":"Bearer","expires_in":2}"#,
            .issued
        ),
    ]

    private static func bad(_ kind: Malformation, _ body: String) -> ExpectedReply {
        .init(#"{"mode":"malformed","kind":"\#(kind.rawValue)"}"#, "200 OK", success, body, .malformed)
    }

    private static let good = #""access_token":"{access}","token_type":"Bearer","expires_in":900"#
    private static let tail = #""token_type":"Bearer","expires_in":900"#

    static let malformations: [ExpectedReply] = [
        bad(.empty, ""), bad(.notJSON, "OK"), bad(.null, "null"), bad(.list, "[{\(good)}]"),
        bad(.trailing, "{\(good)}}"),
        bad(.dataWrapper, #"{"data":{\#(good)},"context":"/oauth/token"}"#),
        bad(.dashedKeys, #"{"access-token":"{access}","token-type":"Bearer","expires-in":900}"#),
        bad(.duplicateKeys, #"{"access_token":"planted.planted.planted",\#(good)}"#),
        bad(.wrongTypes, #"{"access_token":42,"token_type":["Bearer"],"expires_in":{"seconds":900}}"#),
        bad(.missingAccessToken, "{\(tail)}"), bad(.nullAccessToken, #"{\#(tail),"access_token":null}"#),
        bad(.emptyAccessToken, #"{\#(tail),"access_token":""}"#),
        bad(.brokenAccessToken, #"{\#(tail),"access_token":"{access}\r\nX-Planted: yes"}"#),
        bad(.missingRefreshToken, "{\(good)}"),
        bad(.nullRefreshToken, #"{\#(good),"refresh_token":null}"#),
        bad(.emptyRefreshToken, #"{\#(good),"refresh_token":""}"#),
        bad(.numberRefreshToken, #"{\#(good),"refresh_token":42}"#),
        bad(.refreshTokenOnly, #"{"refresh_token":"{refresh}"}"#),
        bad(.unknownTokenType, #"{"access_token":"{access}","expires_in":900,"token_type":"mac"}"#),
        bad(
            .deep,
            #"{"extra":\#(String(repeating: "[", count: 10_000))\#(String(repeating: "]", count: 10_000)),\#(good)}"#
        ),
        bad(
            .hugeAccessToken,
            #"{\#(tail),"access_token":"\#(String(repeating: "x", count: 1_048_576))"}"#
        ),
        .init(#"{"mode":"malformed","kind":"html"}"#, "200 OK", [html], page("200 OK"), .malformed),
        .init(
            #"{"mode":"malformed","kind":"error_in_200"}"#,
            "200 OK",
            [json],
            #"{"error_code":"invalid_grant","error_description":"Grant revoked"}"#,
            .malformed
        ),
    ]

    private static func form(
        _ kind: ReplyVariant,
        _ body: String,
        status: String = "200 OK",
        fields: [String] = success
    ) -> ExpectedReply {
        .init(#"{"mode":"variant","kind":"\#(kind.rawValue)"}"#, status, fields, body, .issued)
    }

    static let variants: [ExpectedReply] = [
        form(.created, "{\(good)}", status: "201 Created"), form(.scope, #"{\#(good),"scope":"read trade openid"}"#),
        form(.idToken, #"{\#(good),"id_token":"eyJhbGciOiJub25lIn0.e30."}"#),
        form(.noTokenType, #"{"access_token":"{access}","expires_in":900}"#),
        form(.lowerCaseType, #"{"access_token":"{access}","expires_in":900,"token_type":"bearer"}"#),
        form(.sameRefreshToken, #"{\#(good),"refresh_token":"{refresh}"}"#),
        form(.unknownMembers, #"{"user":{"id":[1,{"x":null}]},"issued":1.5e3,\#(good)}"#),
        form(
            .escapes,
            #"{"access_token":"{access}","expires_in":900,"token_type":"\u0042\u0065\u0061\u0072\u0065\u0072"}"#
        ),
        form(
            .whitespace,
            "{\r\n\t \"access_token\"\r\n\t :\r\n\t \"{access}\",\r\n\t \"token_type\"\r\n\t :\r\n\t \"Bearer\",\r\n\t "
                + "\"expires_in\"\r\n\t :\r\n\t 900\r\n\t }"
        ),
        form(.noContentType, "{\(good)}", fields: ["Cache-Control: no-store"]),
    ]

    @Test(arguments: lifetimes + malformations + variants)
    func aSuccessComesByteForByteAndMakesAToken(expected: ExpectedReply) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            try await caller.order(expected.order)
            let reply = try await caller.rawRefresh(grant)
            #expect(reply.ending == .closed)
            #expect(caller.masked(reply.text).text == expected.bytes(bodyLength: reply.body.count))
            #expect(caller.simulator.counts.outcomes == [expected.outcome.rawValue: 1])
            #expect(caller.simulator.counts(of: "42").issued == 1)
        }
    }

    /// The kinds that the tables above leave out have tests of their own: ``FaultDeliveryTests``.
    @Test func everyKindHasItsBytes() {
        let apart: Set<Malformation> = [.truncatedJSON, .invalidUTF8, .gzip, .gzipBomb]
        let orders = Set((Self.refusals + Self.lifetimes + Self.malformations + Self.variants).map(\.order))
        for kind in OddLifetime.allCases {
            #expect(orders.contains(#"{"mode":"odd_lifetime","kind":"\#(kind.rawValue)"}"#))
        }
        for kind in Malformation.allCases where !apart.contains(kind) {
            #expect(orders.contains(#"{"mode":"malformed","kind":"\#(kind.rawValue)"}"#))
        }
        for kind in ReplyVariant.allCases where kind != .chunked {
            #expect(orders.contains(#"{"mode":"variant","kind":"\#(kind.rawValue)"}"#))
        }
        for shape in RefusalShape.allCases {
            #expect(Self.verdicts.contains { $0.order.contains(#""shape":"\#(shape.rawValue)""#) })
        }
        for code in RefusalText.codes { #expect(Self.verdicts.contains { $0.body.contains(#""\#(code)""#) }) }
    }
}
