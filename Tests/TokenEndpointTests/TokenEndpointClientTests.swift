// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// The client against a live simulator: what goes over the wire, and what each fault of it becomes.
@Suite(.timeLimit(.minutes(2))) struct TokenEndpointClientTests {
    private func httpReply(_ head: String, body: String) -> [UInt8] {
        Array("HTTP/1.1 \(head)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    @Test func theRequestIsWhatTheFactSheetHas() async throws {
        try await EndpointFixture.with { fixture in
            _ = try await fixture.refresh()
            let request = try #require(fixture.simulator.requests.first)
            #expect(request.method == "POST")
            #expect(request.path == "/oauth/token")
            #expect(request.fields == ["client_secret", "grant_type", "refresh_token"])
            let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name.lowercased(), $0.value) })
            #expect(headers["user-agent"] == "tastytokend/1.2.3")
            #expect(headers["content-type"] == "application/json")
            #expect(headers["accept"] == "application/json")
            let expected: Set = ["host", "user-agent", "content-type", "accept", "content-length"]
            #expect(Set(headers.keys) == expected)
        }
    }

    @Test func theAnswerHoldsALiveTokenAndItsLife() async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.lifetime(.milliseconds(30_900))))
            let answer = try await fixture.refresh()
            #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
            #expect(answer.tokenType == "Bearer")
            #expect(answer.life == TokenLife(sentAt: .newYear, lifetime: .seconds(30)))
            #expect(answer.newRefreshToken == nil)
        }
    }

    @Test func tlsIsTrustedByTheFileOfAuthorities() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.count(.issued) == 1)
        }
    }

    @Test func anUnknownAuthorityIsATLSFailureAndNothingIsSent() async throws {
        try await EndpointFixture.with(tls: true, { $0.caFile = nil }) { fixture in
            let failure = try await fixture.failure()
            #expect(failure.kind == .tls)
            #expect(failure.text.contains("certificate verify failed"))
            #expect(fixture.simulator.counts.requests == 0)
        }
    }

    @Test func aCertificateForAnotherHostIsATLSFailure() async throws {
        try await EndpointFixture.with(tls: true, host: "127.0.0.2") { fixture in
            let failure = try await fixture.failure()
            #expect(failure.kind == .tls)
            #expect(fixture.simulator.counts.requests == 0)
        }
    }

    @Test func aFileOfAuthoritiesThatCannotBeReadIsRefusedAtOnce() {
        var configuration = EndpointConfiguration(version: "1")
        configuration.caFile = "/nonexistent/ca.pem"
        let failure = #expect(throws: EndpointSetupFailure.self) {
            _ = try TokenEndpointClient(configuration, clock: { .newYear })
        }
        #expect(failure?.description.contains("/nonexistent/ca.pem") == true)
    }

    @Test func aRefusedConnectionIsAConnectFailure() async throws {
        try await EndpointFixture.with { fixture in
            try await TokenEndpointClientTests.withClosedPort { port in
                let registration = ClientRegistration.test(apiURL: "http://127.0.0.1:\(port)")
                let failure = try await #require(throws: RefreshFailure.self) {
                    _ = try await fixture.client.refresh(fixture.grant, for: registration)
                }
                #expect(failure.kind == .connect)
                #expect(!failure.outcomeIsUnknown)
            }
        }
    }

    private static func withClosedPort(_ body: (Int) async throws -> Void) async throws {
        var configuration = SimulatorConfiguration(keySeed: "closed", randomSeed: 1)
        configuration.usesTLS = false
        let simulator = try await TokenSimulator.start(configuration, clock: SimulatorInstant.systemNow)
        try await simulator.stop()
        try await body(simulator.port)
    }

    @Test func aHostWithoutAnAddressIsANameResolutionFailure() async throws {
        try await EndpointFixture.with({ $0.connectTimeout = .seconds(60) }) { fixture in
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.refresh(fixture.grant, for: .test(apiURL: "http://no-such-host.invalid"))
            }
            #expect(failure.kind == .nameResolution)
        }
    }

    @Test(arguments: ["", "api.tastyworks.com", "ftp://localhost", "http://", "http://a b"])
    func anAddressThatCannotBeCalledIsAConnectFailure(url: String) async throws {
        try await EndpointFixture.with { fixture in
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.refresh(fixture.grant, for: .test(apiURL: url))
            }
            #expect([.connect, .nameResolution].contains(failure.kind))
        }
    }

    @Test(
        "a reset is a lost connection, and the request is not sent again",
        arguments: ResetPoint.allCases,
        [false, true]
    )
    func aResetIsALostConnection(point: ResetPoint, tls: Bool) async throws {
        try await EndpointFixture.with(tls: tls) { fixture in
            fixture.simulator.set(Fault(.reset(point)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .connectionLost)
            #expect(failure.outcomeIsUnknown)
            #expect(fixture.simulator.counts.requests == 1)
            #expect(fixture.simulator.counts(of: "42").issued == (point == .after ? 1 : 0))
        }
    }

    @Test func aResetOnAConnectionThatWasUsedBeforeIsNotHiddenByAnotherTry() async throws {
        try await EndpointFixture.with { fixture in
            _ = try await fixture.refresh()
            fixture.simulator.set(Fault(.reset(.after), count: 1))
            let kind = try await fixture.failure().kind
            #expect(kind == .connectionLost)
            #expect(fixture.simulator.counts.requests == 2)
            #expect(fixture.simulator.counts.connections == 1)
            _ = try await fixture.refresh()
        }
    }

    @Test func connectionsResetAtOnceAreNoUnknownOutcomeOverTLS() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            fixture.simulator.set(Fault(.outage(.reset)))
            let failure = try await fixture.failure()
            #expect([.connect, .tls].contains(failure.kind))
            #expect(fixture.simulator.counts.requests == 0)
            #expect(fixture.simulator.counts.connectionsReset == 1)
        }
    }

    @Test func anAnswerThatDoesNotComeIsATimeout() async throws {
        try await EndpointFixture.with({ $0.timeout = .seconds(5) }) { fixture in
            _ = try await fixture.refresh()
            fixture.simulator.set(Fault(.hold))
            let failure = try await fixture.failure()
            #expect(failure.kind == .timeout)
            #expect(failure.outcomeIsUnknown)
            #expect(fixture.simulator.counts.requests == 2)
        }
    }

    @Test func theDeadlineCoversTheBody() async throws {
        try await EndpointFixture.with({ $0.timeout = .seconds(5) }) { fixture in
            _ = try await fixture.refresh()
            let half = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"access_token\":".utf8)
            fixture.simulator.set(Fault(.raw(half, closes: false)))
            let kind = try await fixture.failure().kind
            #expect(kind == .timeout)
        }
    }

    @Test func aBodyThatBreaksOffIsALostConnection() async throws {
        try await EndpointFixture.with { fixture in
            let half = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"access_token\":".utf8)
            fixture.simulator.set(Fault(.raw(half, closes: true)))
            let kind = try await fixture.failure().kind
            #expect(kind == .connectionLost)
            #expect(fixture.simulator.counts.requests == 1)
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func aRedirectIsNotFollowed(status: Int) async throws {
        try await EndpointFixture.with { fixture in
            let head = "\(status) Elsewhere\r\nLocation: \(fixture.simulator.url)/oauth/token"
            fixture.simulator.set(Fault(.raw(httpReply(head, body: ""), closes: true), count: 1))
            let failure = try await fixture.failure()
            #expect(failure.kind == .redirected)
            #expect(failure.httpStatus == status)
            #expect(fixture.simulator.counts.requests == 1)
        }
    }

    @Test(arguments: [("200 OK", RefreshFailure.Kind.malformed), ("503 Away", .serverFault), ("401 No", .gateway)])
    func aLongReplyIsNotRead(head: String, kind: RefreshFailure.Kind) async throws {
        try await EndpointFixture.with { fixture in
            // Else the next call may be put on the connection that is about to end.
            let head = head + "\r\nConnection: close"
            let long = String(repeating: "x", count: 70_000)
            fixture.simulator.set(Fault(.raw(httpReply(head, body: long), closes: true), count: 1))
            let plain = try await fixture.failure()
            #expect(plain.kind == kind)
            let chunked = "HTTP/1.1 \(head)\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n\(long)\r\n0\r\n\r\n"
            fixture.simulator.set(Fault(.raw(Array(chunked.utf8), closes: true), count: 1))
            let inChunks = try await fixture.failure()
            #expect(inChunks.kind == kind)
        }
    }

    @Test func aReplyThatIsNoHTTPIsMalformed() async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.raw(Array("SSH-2.0-OpenSSH_9.2\r\n\r\n".utf8), closes: true)))
            let kind = try await fixture.failure().kind
            #expect(kind == .malformed)
        }
    }

    /// AsyncHTTPClient takes such a head for one of an interim reply, and ended the process at what came after it.
    @Test(arguments: ["000", "001", "042", "099"]) func h29AReplyWithAStatusThatIsNoneEndsNoProcess(
        status: String
    ) async throws {
        try await EndpointFixture.with { fixture in
            let body = #"{"access_token":"never","expires_in":900}"#
            let chunked = "HTTP/1.1 \(status) X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            for reply in [
                httpReply("\(status) X", body: body), Array(chunked.utf8), Array("HTTP/1.1 \(status) X\r\n\r\n".utf8),
            ] {
                for closes in [true, false] {
                    fixture.simulator.set(Fault(.raw(reply, closes: closes), count: 1))
                    let kind = try await fixture.failure().kind
                    #expect(kind == .malformed)
                }
            }
            let token = try await fixture.refresh().accessToken.reveal()
            #expect(!token.isEmpty, "the next call is as ever")
        }
    }

    @Test func aCompressedBodyIsNotUnpacked() async throws {
        try await EndpointFixture.with { fixture in
            let reply = httpReply("200 OK\r\nContent-Encoding: gzip", body: #"{"access_token":"plain"}"#)
            fixture.simulator.set(Fault(.raw(reply, closes: true)))
            let token = try await fixture.refresh().accessToken.reveal()
            #expect(token == "plain")
        }
    }

    @Test func refusalsOfTheEndpointKeepTheirMeaning() async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.revokeGrants(of: "42")
            let revoked = try await fixture.failure()
            #expect(revoked.kind == .grantRefused)
            #expect(revoked.code == "invalid_grant")
            #expect(revoked.text == "Grant revoked")
            let wrongSecret = ClientRegistration.test(apiURL: fixture.simulator.url)
            let refused = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.refresh(fixture.grant, for: wrongSecret)
            }
            #expect(refused.kind == .clientRefused)
            #expect(refused.httpStatus == 401)
        }
    }

    @Test func aRefusedUserAgentIsNoVerdict() async throws {
        try await EndpointFixture.with({ $0.version = "" }) { fixture in
            let kind = try await fixture.failure().kind
            #expect(kind == .gateway)
            #expect(fixture.simulator.counts.count(.userAgentRefused) == 1)
        }
    }

    @Test func retryAfterComesThrough() async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.errorPage(ErrorPage(429, retryAfter: "17"))))
            let failure = try await fixture.failure()
            #expect(failure.kind == .throttled)
            #expect(failure.retryAfter == .seconds(17))
        }
    }

    @Test func noFailureShowsWhatWasSent() async throws {
        try await EndpointFixture.with { fixture in
            let token = fixture.grant.reveal()
            let secret = fixture.registration.clientSecret.reveal()
            fixture.simulator.set(
                Fault(.refusal(status: 400, code: secret, description: "\(secret) does not open \(token)"))
            )
            let failure = try await fixture.failure()
            var dumped = ""
            dump(failure, to: &dumped)
            #expect(!dumped.contains(secret))
            #expect(!dumped.contains(token.prefix(40)))
        }
    }

    @Test func secretsWithQuotesAndControlsArriveAsTheyAre() async throws {
        try await EndpointFixture.with { fixture in
            let registration = ClientRegistration.test(apiURL: fixture.simulator.url, secret: "a\"b\\c\n\u{1}é")
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await fixture.client.refresh(fixture.grant, for: registration)
            }
            // Malformed JSON would have been refused as invalid_request.
            #expect(failure.code == "invalid_client")
        }
    }

    @Test func cancellingTheTaskDoesNotLoseTheReply() async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.hold, count: 1))
            let task = Task { try await fixture.refresh() }
            #expect(await fixture.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            task.cancel()
            fixture.simulator.releaseHeld()
            let answer = try await task.value
            #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
        }
    }

    @Test func afterShutdownNothingIsSent() async throws {
        try await EndpointFixture.with { fixture in
            await fixture.client.shutdown()
            let kind = try await fixture.failure().kind
            #expect(kind == .connect)
            #expect(fixture.simulator.counts.requests == 0)
        }
    }
}
