// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// The exchange of a code against a live simulator (hard case H32).
@Suite(.timeLimit(.minutes(2))) struct CodeExchangeTests {
    @Test(arguments: [false, true]) func aCodeGivesAGrantThatRefreshes(tls: Bool) async throws {
        try await EndpointFixture.with(tls: tls) { fixture in
            let answer = try await fixture.exchange(try await fixture.code())
            #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
            #expect(answer.life == TokenLife(sentAt: .newYear, lifetime: .seconds(900)) && answer.tokenType == "Bearer")
            #expect(fixture.simulator.isGood(refreshToken: answer.refreshToken.reveal()))
            let refreshed = try await fixture.client.refresh(answer.refreshToken, for: fixture.application)
            #expect(fixture.simulator.user(ofLiveToken: refreshed.accessToken.reveal()) == "42")
        }
    }

    @Test func theRequestIsWhatTheFactSheetHas() async throws {
        try await EndpointFixture.with { fixture in
            _ = try await fixture.exchange(try await fixture.code())
            let request = try #require(fixture.simulator.requests.last)
            #expect(request.method == "POST" && request.path == "/oauth/token")
            #expect(request.fields == ["client_id", "client_secret", "code", "grant_type", "redirect_uri"])
            let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name.lowercased(), $0.value) })
            #expect(headers["user-agent"] == "tastytokend/1.2.3" && headers["content-type"] == "application/json")
            #expect(Set(headers.keys) == ["host", "user-agent", "content-type", "accept", "content-length"])
        }
    }

    @Test func everyFieldIsWrittenAsJSONHasIt() {
        let client = ClientRegistration(
            name: "x",
            environment: .sandbox,
            clientID: "i\"d",
            clientSecret: Secret("s\\"),
            apiURL: "http://localhost"
        )
        let call = TokenCall(code: Secret("c\"1"), redirectURI: "http://a\n", client: client)
        #expect(
            String(buffer: call.body) == #"{"grant_type":"authorization_code","code":"c\"1","client_id":"i\"d","#
                + #""client_secret":"s\\","redirect_uri":"http://a\u000a"}"#
        )
    }

    @Test func aSpentCodeIsNoDeadGrant() async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            _ = try await fixture.exchange(code)
            let failure = try await fixture.exchangeFailure(code)
            #expect(failure.kind == .grantRefused && failure.code == "invalid_grant")
            #expect(failure.text == "the authorization code was not accepted: Authorization code already used")
            #expect(failure.newRefreshToken == nil)
        }
    }

    @Test func anExpiredAStrangersAndAMisdirectedCodeAreRefused() async throws {
        try await EndpointFixture.with { fixture in
            #expect(
                try await fixture.exchangeFailure(Secret("nobodys")).text.contains("code was not accepted: Invalid")
            )
            let other = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.exchange(
                    try await fixture.code(),
                    redirectURI: "http://localhost:8000/",
                    for: fixture.application
                )
            }
            #expect(other.text.contains("redirect_uri"))
            let code = try await fixture.code()
            fixture.simulator.set(Fault(.expiredCode))
            let expired = try await fixture.exchangeFailure(code)
            #expect(expired.kind == .grantRefused && expired.text.contains("expired"))
        }
    }

    @Test(arguments: [Malformation.missingRefreshToken, .nullRefreshToken, .emptyRefreshToken])
    func anAnswerWithoutARefreshTokenIsNone(_ malformation: Malformation) async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            fixture.simulator.set(Fault(.malformed(malformation)))
            let failure = try await fixture.exchangeFailure(code)
            #expect(failure.kind == .malformed && failure.newRefreshToken == nil)
            #expect(failure.text.hasPrefix("no refresh token returned"))
        }
    }

    @Test func aRefreshTokenAloneIsNotLost() async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            fixture.simulator.set(Fault(.malformed(.refreshTokenOnly)))
            let failure = try await fixture.exchangeFailure(code)
            #expect(failure.kind == .malformed)
            let carried = try #require(failure.newRefreshToken)
            #expect(fixture.simulator.isGood(refreshToken: carried.reveal()))
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            let before = fixture.simulator.counts.requests
            fixture.simulator.set(Fault(.redirect(status: 307, location: "\(fixture.simulator.url)/elsewhere")))
            #expect(try await fixture.exchangeFailure(code).kind == .redirected)
            #expect(fixture.simulator.counts.requests == before + 1)
        }
    }

    @Test func aLostReplyIsNotAskedForAgain() async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            fixture.simulator.set(Fault(.lostReply(sentBytes: 0), count: 1))
            let failure = try await fixture.exchangeFailure(code)
            #expect(failure.kind == .connectionLost && failure.outcomeIsUnknown)
            #expect(fixture.simulator.counts.tokenRequests == 1)
        }
    }

    @Test func silenceEndsAtTheDeadline() async throws {
        try await EndpointFixture.with({ $0.timeout = .seconds(5) }) { fixture in
            let code = try await fixture.code()
            fixture.simulator.set(Fault(.hang(.before)))
            #expect(try await fixture.exchangeFailure(code).kind == .timeout)
        }
    }

    @Test func withoutAClientIDNothingIsSent() async throws {
        try await EndpointFixture.with { fixture in
            let client = ClientRegistration(
                name: "default",
                environment: .sandbox,
                clientID: nil,
                clientSecret: Secret("s"),
                apiURL: fixture.simulator.url
            )
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.exchange(Secret("c"), redirectURI: "http://a", for: client)
            }
            #expect(failure.kind == .clientRefused && failure.text.contains("tastytrade.clientId"))
            #expect(fixture.simulator.counts.requests == 0)
        }
    }

    @Test func noDescriptionHasASecret() async throws {
        try await EndpointFixture.with { fixture in
            let code = try await fixture.code()
            let answer = try await fixture.exchange(code)
            var shown =
                "\(answer) \(String(reflecting: answer)) \(TokenCall(code: code, redirectURI: "x", client: fixture.application))"
            dump(answer, to: &shown)
            let echo = Fault(.refusal(status: 400, code: "invalid_grant", description: "no \(code.reveal()) here"))
            fixture.simulator.set(echo)
            let failure = try await fixture.exchangeFailure(code)
            shown += "\(failure) \(String(reflecting: failure))"
            dump(failure, to: &shown)
            let secrets = [code, answer.accessToken, answer.refreshToken, fixture.application.clientSecret]
            for secret in secrets { #expect(!shown.contains(secret.reveal())) }
        }
    }
}
