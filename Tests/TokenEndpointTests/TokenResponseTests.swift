// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct TokenResponseTests {
    private func read(_ body: String, from second: Int = 1) -> TokenResponse.Reading {
        TokenResponse(Array(body.utf8)).read(
            call: .test,
            sentAt: .newYear,
            bounds: .seconds(second) ... .seconds(86_400)
        )
    }

    private func answer(_ body: String, from second: Int = 1) throws -> TokenAnswer {
        guard case .answer(let answer) = read(body, from: second) else {
            throw RefreshFailure(.malformed, text: "no answer: \(read(body))")
        }
        return answer
    }

    @Test func readsTheUsualReply() throws {
        let answer = try answer(#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":900}"#)
        #expect(answer.accessToken.reveal() == "a.b.c")
        #expect(answer.tokenType == "Bearer")
        #expect(answer.life == TokenLife(sentAt: .newYear, lifetime: .seconds(900)))
        #expect(answer.newRefreshToken == nil)
    }

    @Test func unknownFieldsAreIgnored() throws {
        let answer = try answer(#"{"id_token":{"x":[1]},"scope":"read","access_token":"a","created_at":1}"#)
        #expect(answer.accessToken.reveal() == "a")
    }

    @Test(arguments: [
        ("900", Duration.seconds(900)), ("900.5", .seconds(900.5)), (#""900""#, .seconds(900)),
        (#""9e2""#, .seconds(900)), ("2", .seconds(2)), ("0.25", .seconds(1)), ("1e999", .seconds(86_400)),
        ("99999999999999999999999", .seconds(86_400)), ("86401", .seconds(86_400)), ("null", .seconds(900)),
    ])
    func lifetimeIsReadAndClamped(text: String, lifetime: Duration) throws {
        let answer = try answer(#"{"access_token":"a","expires_in":\#(text)}"#)
        #expect(answer.life.lifetime == lifetime)
    }

    @Test func lowerBoundOfALifetimeIsAParameter() throws {
        let answer = try answer(#"{"access_token":"a","expires_in":2}"#, from: 60)
        #expect(answer.life.lifetime == .seconds(60))
    }

    @Test(arguments: ["Bearer", "bearer", "BEARER", ""])
    func everySpellingOfBearerIsBearer(type: String) throws {
        #expect(try answer(#"{"access_token":"a","token_type":"\#(type)"}"#).tokenType == "Bearer")
    }

    @Test func aMissingTypeIsBearer() throws {
        #expect(try answer(#"{"access_token":"a"}"#).tokenType == "Bearer")
        #expect(try answer(#"{"access_token":"a","token_type":null}"#).tokenType == "Bearer")
    }

    @Test(arguments: [
        "", #","refresh_token":null"#, #","refresh_token":"""#, #","refresh_token":"planted-refresh-token""#,
    ])
    func noNewRefreshTokenMeansKeepTheOldOne(member: String) throws {
        #expect(try answer(#"{"access_token":"a"\#(member)}"#).newRefreshToken == nil)
    }

    @Test func aNewRefreshTokenIsGiven() throws {
        #expect(try answer(#"{"access_token":"a","refresh_token":"next"}"#).newRefreshToken?.reveal() == "next")
    }

    @Test func theLongestTokenIsTakenAndALongerOneIsNot() throws {
        let longest = String(repeating: "a", count: TokenResponse.tokenLimit)
        #expect(try answer(#"{"access_token":"\#(longest)"}"#).accessToken.reveal() == longest)
        #expect(throws: RefreshFailure.self) { try answer(#"{"access_token":"\#(longest)a"}"#) }
    }

    @Test(
        "H9: what cannot be used is malformed",
        arguments: [
            "", " ", "<html>", "[]", "null", #"{"access_token":"a""#, "{}", #"{"access_token":null}"#,
            #"{"access_token":""}"#, #"{"access_token":7}"#, #"{"access_token":"a\nb"}"#, #"{"access_token":"a b"}"#,
            #"{"access_token":"é"}"#, #"{"access_token":"a","expires_in":0}"#, #"{"access_token":"a","expires_in":-1}"#,
            #"{"access_token":"a","expires_in":true}"#, #"{"access_token":"a","expires_in":"soon"}"#,
            #"{"access_token":"a","expires_in":"nan"}"#, #"{"access_token":"a","expires_in":{}}"#,
            #"{"access_token":"a","expires_in":""}"#, #"{"access_token":"a","token_type":"mac"}"#,
            #"{"access_token":"a","token_type":1}"#, #"{"data":{"access_token":"a"},"context":"/oauth/token"}"#,
            #"{"error_code":"invalid_grant","error_description":"Grant revoked"}"#,
            #"{"access_token":"a","error":"invalid_grant"}"#, #"{"access_token":"a","refresh_token":7}"#,
            #"{"access_token":"a","refresh_token":"b\u0000"}"#,
        ]
    )
    func whatCannotBeUsedIsMalformed(body: String) {
        guard case .unusable(let reason, _, _) = read(body) else {
            Issue.record("read as an answer: \(body)")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func anErrorInASuccessKeepsItsCode() {
        guard case .unusable(_, let code, _) = read(#"{"error_code":"invalid_grant"}"#) else {
            Issue.record("read as an answer")
            return
        }
        #expect(code == "invalid_grant")
    }

    @Test(
        "a new refresh token is read even where the reply around it is broken",
        arguments: [
            #"{"refresh_token":"next"}"#, #"{"refresh_token":"next","access_token":"hal"#,
            #"{"refresh_token":"next","access_token":"a","expires_in":-1}"#,
            #"{"error":"server_error","refresh_token":"next"}"#,
        ]
    )
    func aNewRefreshTokenOutlivesABrokenReply(body: String) {
        guard case .unusable(_, _, let newRefreshToken) = read(body) else {
            Issue.record("read as an answer: \(body)")
            return
        }
        #expect(newRefreshToken?.reveal() == "next")
    }
}
