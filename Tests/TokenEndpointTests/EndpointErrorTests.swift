// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct EndpointErrorTests {
    private func failure(_ reply: TokenReply) -> RefreshFailure {
        EndpointError(reply, receivedAt: Moment.newYear.wall).failure(for: .test)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let body: String
        let kind: RefreshFailure.Kind
        var code: String?

        init(_ status: Int, _ body: String, _ kind: RefreshFailure.Kind, _ code: String? = nil) {
            (self.status, self.body, self.kind, self.code) = (status, body, kind, code)
        }

        var testDescription: String { "\(status) \(body.prefix(60))" }
    }

    private static let page = "<html><head><title>401 Authorization Required</title></head></html>"

    @Test(
        "H11: every status and body shape",
        arguments: [
            Case(
                400,
                #"{"error_code":"invalid_grant","error_description":"Invalid JWT"}"#,
                .grantRefused,
                "invalid_grant"
            ),
            Case(400, #"{"error":"invalid_grant"}"#, .grantRefused, "invalid_grant"),
            Case(401, #"{"error":{"code":"invalid_grant"}}"#, .grantRefused, "invalid_grant"),
            Case(401, #"{"error_code":"invalid_client"}"#, .clientRefused, "invalid_client"),
            Case(400, #"{"error":"unauthorized_client"}"#, .clientRefused, "unauthorized_client"),
            Case(404, #"{"error":"Client not found"}"#, .clientRefused, "Client not found"),
            Case(404, #"{"error_code":"client_not_found"}"#, .clientRefused, "client_not_found"),
            Case(404, #"{"message":"Client not found"}"#, .clientRefused),
            Case(400, #"{"message":"Client not found"}"#, .requestRejected),
            Case(404, #"{"error":{"code":"not_found","message":"No such route"}}"#, .requestRejected, "not_found"),
            Case(
                400,
                #"{"error_code":"invalid_request","error_description":"x"}"#,
                .requestRejected,
                "invalid_request"
            ),
            Case(400, #"{"error_code":"INVALID_GRANT"}"#, .requestRejected, "INVALID_GRANT"),
            Case(406, #"{"error":{"code":406,"message":"x"}}"#, .requestRejected, "406"),
            Case(403, #"{"error":{"code":"not_permitted"}}"#, .requestRejected, "not_permitted"),
            Case(401, "", .gateway), Case(401, page, .gateway), Case(403, page, .gateway), Case(403, "{}", .gateway),
            Case(401, "[]", .gateway), Case(401, #"{"error_code":"invalid_grant""#, .gateway),
            Case(401, #"{"error_code":""}"#, .gateway), Case(400, page, .gateway), Case(404, "", .gateway),
            Case(429, "", .throttled), Case(429, #"{"error_code":"invalid_grant"}"#, .throttled),
            Case(408, "", .serverFault), Case(425, "", .serverFault), Case(500, page, .serverFault),
            Case(502, page, .serverFault), Case(503, "", .serverFault), Case(599, "", .serverFault),
            Case(500, #"{"error_code":"invalid_grant"}"#, .serverFault),
            Case(503, #"{"error":"invalid_client"}"#, .serverFault),
            Case(301, "", .redirected), Case(302, page, .redirected), Case(307, "", .redirected),
            Case(304, "", .redirected),
            Case(199, "", .malformed),
        ]
    )
    func everyShapeHasItsKind(testCase: Case) {
        let failure = failure(TokenReply(testCase.status, testCase.body))
        #expect(failure.kind == testCase.kind)
        #expect(failure.code == testCase.code)
        #expect(failure.httpStatus == testCase.status)
        #expect(!failure.text.isEmpty)
    }

    @Test func codesAreReadInTheirOrder() {
        let all = #"{"error":{"code":"c","message":"m"},"error_code":"a","error_description":"d","message":"n"}"#
        #expect(failure(TokenReply(400, all)).code == "a")
        #expect(failure(TokenReply(400, all)).text == "d")
        let envelope = #"{"error":{"code":"c","message":"m"},"message":"n"}"#
        #expect(failure(TokenReply(400, envelope)).code == "c")
        #expect(failure(TokenReply(400, envelope)).text == "m")
        #expect(failure(TokenReply(400, #"{"message":"n"}"#)).text == "n")
    }

    @Test(
        "H14: Retry-After",
        arguments: [
            (429, "30", Duration.seconds(30)), (503, "5", .seconds(5)), (408, "0", .seconds(1)),
            (429, "999999999999999999999999", .seconds(3600)), (400, "30", nil), (401, "30", nil), (429, "soon", nil),
        ]
    )
    func retryAfterIsObeyedWhereItCounts(status: Int, value: String, wait: Duration?) {
        #expect(failure(TokenReply(status, "", retryAfter: value)).retryAfter == wait)
    }

    @Test func textsDoNotShowWhatWasSent() {
        let body = #"{"error_code":"planted-client-secret","error_description":"token planted-refresh-token\nis bad"}"#
        let failure = failure(TokenReply(400, body))
        let shown = failure.description + (failure.code ?? "")
        #expect(!shown.contains("planted-client-secret"))
        #expect(!shown.contains("planted-refresh-token"))
        #expect(!shown.contains("\n"))
    }

    @Test func textsAreBounded() {
        let prose = String(repeating: "no ", count: 5000)
        let code = String(repeating: "c ", count: 5000)
        let failure = failure(TokenReply(400, #"{"error_code":"\#(code)","error_description":"\#(prose)"}"#))
        #expect(failure.text.utf8.count <= SafeText.quotationLimit)
        #expect((failure.code?.utf8.count ?? 0) <= SafeText.codeLimit)
    }
}
