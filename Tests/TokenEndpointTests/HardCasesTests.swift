// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// The hard cases of the provider's behaviour, against the real simulator.
@Suite(.timeLimit(.minutes(3))) struct HardCasesTests {
    // MARK: H9

    /// Malformations that a token can be had of all the same.
    private static let harmless: Set<Malformation> = [
        .duplicateKeys, .missingRefreshToken, .nullRefreshToken, .emptyRefreshToken,
    ]

    @Test("H9: a broken success is malformed, and its connection harms no other call", arguments: Malformation.allCases)
    func h9BrokenSuccess(_ malformation: Malformation) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.malformed(malformation), count: 1))
            if Self.harmless.contains(malformation) {
                let answer = try await fixture.refresh()
                #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
                #expect(answer.newRefreshToken == nil)
            } else {
                let failure = try await fixture.failure()
                #expect(failure.kind == .malformed)
                #expect(failure.newRefreshToken == nil)
                #expect(failure.text.utf8.count <= SafeText.remarkLimit)
            }
            #expect(fixture.simulator.counts.requests == 1)
            _ = try await fixture.refresh()
        }
    }

    @Test("H9: a new refresh token is kept although the reply is broken", arguments: Malformation.allCases)
    func h9NewRefreshToken(_ malformation: Malformation) async throws {
        // Where it is not in the reply, not whole, or not where it belongs, nothing can be kept.
        let unreadable: Set<Malformation> = [
            .empty, .notJSON, .html, .list, .null, .truncatedJSON, .invalidUTF8, .deep, .wrongTypes, .dataWrapper,
            .dashedKeys, .numberRefreshToken, .errorIn200, .gzip, .gzipBomb,
        ]
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.rotation(.strict)))
            fixture.simulator.set(Fault(.malformed(malformation), count: 1))
            guard !Self.harmless.contains(malformation) else {
                _ = try await fixture.refresh()
                return
            }
            let failure = try await fixture.failure()
            #expect(failure.kind == .malformed)
            guard let kept = failure.newRefreshToken else {
                #expect(unreadable.contains(malformation))
                #expect(failure.outcomeIsUnknown)
                return
            }
            #expect(!unreadable.contains(malformation))
            #expect(!failure.outcomeIsUnknown)
            let next = try await fixture.client.refresh(kept, for: fixture.registration)
            #expect(fixture.simulator.user(ofLiveToken: next.accessToken.reveal()) == "42")
            #expect(fixture.simulator.counts.grantsLost == 0)
        }
    }

    @Test("H9: a new refresh token is kept of a reply that breaks off or is too long", arguments: [false, true])
    func h9NewRefreshTokenOfHalfAReply(isLong: Bool) async throws {
        try await EndpointFixture.with { fixture in
            let body = #"{"refresh_token":"next.refresh.token","access_token":""# + String(repeating: "x", count: 500)
            let rest = isLong ? String(repeating: "x", count: 70_000) : ""
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunks = [body, rest].filter { !$0.isEmpty }
                .map { String($0.utf8.count, radix: 16) + "\r\n" + $0 + "\r\n" }
            fixture.simulator.set(Fault(.raw(Array((head + chunks.joined()).utf8), closes: true), count: 1))
            let failure = try await fixture.failure()
            #expect(failure.kind == (isLong ? .malformed : .connectionLost))
            #expect(failure.newRefreshToken == Secret("next.refresh.token"))
        }
    }

    @Test func h9AnErrorPagesRefreshTokenIsNotBelieved() async throws {
        try await EndpointFixture.with { fixture in
            let body = #"{"refresh_token":"planted","error":"server_error"}"#
            let reply = "HTTP/1.1 500 Away\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            fixture.simulator.set(Fault(.raw(Array(reply.utf8), closes: true)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .serverFault)
            #expect(failure.newRefreshToken == nil)
        }
    }

    @Test("H9: a lifetime is clamped, supposed or refused", arguments: OddLifetime.allCases)
    func h9OddLifetime(_ odd: OddLifetime) async throws {
        let lifetimes: [OddLifetime: Duration] = [
            .missing: .seconds(900), .null: .seconds(900), .oneSecond: .seconds(1), .string: .seconds(900),
            .fraction: .seconds(900.5), .exponent: .seconds(900), .huge: .seconds(86_400), .overflow: .seconds(86_400),
        ]
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.oddLifetime(odd)))
            if let lifetime = lifetimes[odd] {
                let life = try await fixture.refresh().life
                #expect(life == TokenLife(sentAt: .newYear, lifetime: lifetime))
            } else {
                let kind = try await fixture.failure().kind
                #expect(kind == .malformed)
            }
        }
    }

    @Test("H9: every form of success is taken (fact sheet section 4.2)", arguments: ReplyVariant.allCases)
    func h9Variant(_ variant: ReplyVariant) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.variant(variant)))
            let answer = try await fixture.refresh()
            #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
            #expect(answer.tokenType == "Bearer")
            #expect(answer.newRefreshToken == nil, "the one that was sent is no new one")
        }
    }

    @Test("H9: a huge reply is cut off", arguments: HugePart.allCases)
    func h9Huge(_ part: HugePart) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.huge(bytes: 8 << 20, part), count: 1))
            let kind = try await fixture.failure().kind
            #expect(kind == .malformed)
            _ = try await fixture.refresh()
        }
    }

    @Test("H9: a redirect of a success is not followed", arguments: [300, 301, 302, 303, 304, 307, 308, 399])
    func h9Redirect(_ status: Int) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.redirect(status: status, location: "/oauth/moved")))
            let kind = try await fixture.failure().kind
            #expect(kind == .redirected)
            #expect(fixture.simulator.counts.requests == 1)
        }
    }

    // MARK: H10

    @Test("H10: the same token comes through as it is, for the machine to notice", arguments: Repetition.allCases)
    func h10SameToken(_ repetition: Repetition) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.sameToken(repetition)))
            let first = try await fixture.refresh()
            let second = try await fixture.refresh()
            #expect(first.accessToken == second.accessToken)
            #expect(second.life.lifetime <= first.life.lifetime)
        }
    }

    // MARK: H11

    struct Refusal: Sendable, CustomTestStringConvertible {
        let code: String
        let shape: RefusalShape
        var testDescription: String { "\(code) as \(shape.rawValue)" }

        static let all = [
            "invalid_grant", "invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type",
            "invalid_scope", "access_denied", "something_new",
        ].flatMap { code in RefusalShape.allCases.map { Refusal(code: code, shape: $0) } }

        /// Only what names grant or client in so many words is a verdict on them.
        var kind: RefreshFailure.Kind {
            guard [.tastytrade, .rfc6749, .envelope, .envelopeErrors].contains(shape) else { return .requestRejected }
            return switch code {
            case "invalid_grant": .grantRefused
            case "invalid_client", "unauthorized_client": .clientRefused
            default: .requestRejected
            }
        }
    }

    @Test("H11: every code in every shape (fact sheet section 4.3)", arguments: Refusal.all)
    func h11Refusal(_ refusal: Refusal) async throws {
        try await EndpointFixture.with { fixture in
            let mode = Fault.Mode.refusal(status: 400, code: refusal.code, description: "Said so", shape: refusal.shape)
            fixture.simulator.set(Fault(mode))
            let failure = try await fixture.failure()
            #expect(failure.kind == refusal.kind)
            #expect(failure.httpStatus == 400)
            #expect(failure.text == "Said so")
            #expect(!failure.outcomeIsUnknown)
        }
    }

    @Test("H11: pages without a verdict", arguments: [400, 401, 403, 404, 408, 425, 500, 502, 503, 504])
    func h11Page(_ status: Int) async throws {
        try await EndpointFixture.with { fixture in
            for body in [ErrorPage.Body.html, .waf, .empty] {
                fixture.simulator.set(Fault(.errorPage(ErrorPage(status, body: body)), count: 1))
                let failure = try await fixture.failure()
                let isServers = status >= 500 || status == 408 || status == 425
                #expect(failure.kind == (isServers ? .serverFault : .gateway), "\(body)")
                #expect(!failure.text.contains("<"), "no page is quoted")
            }
        }
    }

    @Test("H11: a refused User-Agent is no verdict", arguments: [false, true])
    func h11UserAgent(isEmpty: Bool) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.userAgentRefused(isEmpty: isEmpty)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .gateway)
            #expect(failure.text.contains("User-Agent"))
        }
    }

    @Test(
        "H11: the endpoint's words are bounded and escaped",
        arguments: [
            #"\u0000\u001b[31mred\u0007"#, #"turned \u202edesrever\u2066"#, #"two\r\nlines\u2028more"#,
            #"<script>alert(1)</script>"#, #"forged \\u{a} escape"#, String(repeating: "huge ", count: 10_000),
            #"hidden\u200b\ufeff\ud83d\ude00"#,
        ]
    )
    func h11Words(_ words: String) async throws {
        try await EndpointFixture.with { fixture in
            let body = #"{"error_code":"\#(words)","error_description":"\#(words)"}"#
            let reply = "HTTP/1.1 400 Bad Request\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            fixture.simulator.set(Fault(.raw(Array(reply.utf8), closes: true)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .requestRejected || failure.kind == .gateway)
            #expect(failure.text.utf8.count <= SafeText.quotationLimit)
            #expect((failure.code ?? "").utf8.count <= SafeText.codeLimit)
            let dangerous = failure.description.unicodeScalars.filter { scalar in
                [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            }
            #expect(dangerous.isEmpty, "\(failure.description.debugDescription)")
        }
    }

    // MARK: H14

    @Test(
        "H14: Retry-After as seconds, as a date, absurd",
        arguments: [
            (RetryAfterHint.none, nil), (.seconds(7), .seconds(7)), (.seconds(0), .seconds(1)),
            (.seconds(86_400), .seconds(3600)), (.text("99999999999999999999"), .seconds(3600)), (.text("-5"), nil),
            (.text("soon"), nil), (.text("Sun, 06 Nov 1994 08:49:37 GMT"), .seconds(1)), (.text("7;q=1"), nil),
        ] as [(RetryAfterHint, Duration?)]
    )
    func h14RetryAfter(hint: RetryAfterHint, wait: Duration?) async throws {
        try await EndpointFixture.with { fixture in
            fixture.simulator.set(Fault(.rateLimited(hint)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .throttled)
            #expect(failure.retryAfter == wait)
        }
    }

    // MARK: H17

    @Test(
        "H17: a bad certificate is a TLS failure, nothing is sent, and a fresh connection is made afterwards",
        arguments: OddCertificate.allCases
    )
    func h17Certificate(_ certificate: OddCertificate) async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            fixture.simulator.set(Fault(.certificate(certificate)))
            let failure = try await fixture.failure()
            #expect(failure.kind == .tls)
            #expect(!failure.outcomeIsUnknown)
            #expect(fixture.simulator.counts.requests == 0)
            #expect(fixture.simulator.counts.connections == 1, "tried once, not again by itself")
            fixture.simulator.clearFaults()
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.connections == 2)
        }
    }

    @Test func h17AuthoritiesThatAreReplacedAreTrustedWithoutARestart() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            let right = try #require(fixture.simulator.authorityPEM)
            let file = FileManager.default.temporaryDirectory.appending(path: "authorities-\(UUID().uuidString).pem")
            defer { try? FileManager.default.removeItem(at: file) }
            let other = try await TokenSimulator.start(
                SimulatorConfiguration(keySeed: "other", randomSeed: 2),
                clock: SimulatorInstant.systemNow
            )
            try Data(try #require(other.authorityPEM).utf8).write(to: file)
            try await other.stop()

            let clock = ManualClock()
            var configuration = EndpointConfiguration(version: "1.2.3")
            configuration.caFile = file.path
            let client = try TokenEndpointClient(configuration, clock: clock.reading)
            func refresh() async -> RefreshFailure.Kind? {
                do throws(RefreshFailure) {
                    _ = try await client.refresh(fixture.grant, for: fixture.registration)
                    return nil
                } catch {
                    return error.kind
                }
            }
            #expect(await refresh() == .tls)
            #expect(await refresh() == .tls, "read anew, and still others")
            // In the middle of being replaced.
            try Data().write(to: file)
            clock.advance(by: .seconds(60))
            #expect(await refresh() == .tls)
            try Data(right.utf8).write(to: file)
            #expect(await refresh() == .tls, "a minute after the last try, not at every failure")
            clock.advance(by: .seconds(60))
            #expect(await refresh() == .tls)
            #expect(await refresh() == nil)
            await client.shutdown()
        }
    }

    @Test func h17AKeptConnectionToADeadBackendCostsOneTryAtMost() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            _ = try await fixture.refresh()
            try await fixture.simulator.goDown()
            // The connection ends soon after the port is closed, not at the same moment.
            var gone: RefreshFailure?
            while gone == nil, !Task.isCancelled {
                do throws(RefreshFailure) { _ = try await fixture.refresh() } catch { gone = error }
            }
            #expect(gone.map { [.connect, .connectionLost].contains($0.kind) } == true)
            try await fixture.simulator.comeBack()
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.connections == 2)
        }
    }

    // MARK: H18

    @Test func h18ASlowReplyWithinTheDeadlineIsNotLost() async throws {
        try await EndpointFixture.with({ $0.connectTimeout = .seconds(2) }) { fixture in
            // Longer than a connection may take: the two deadlines are apart.
            fixture.simulator.set(Fault(.latency(.seconds(3) ... .seconds(3))))
            let answer = try await fixture.refresh()
            #expect(fixture.simulator.user(ofLiveToken: answer.accessToken.reveal()) == "42")
        }
    }

    @Test func h18TheDefaultsLeaveAReplyTheTimeItTakes() {
        let configuration = EndpointConfiguration(version: "1")
        #expect(configuration.timeout == .seconds(30))
        #expect(configuration.connectTimeout == .seconds(5))
    }

    @Test("H18: what is silent or slow beyond the deadline is a timeout of unknown outcome")
    func h18Deadline() async throws {
        let silent: [Fault.Mode] = [
            .hang(.before), .hang(.after), .drip(bytes: 1, every: .milliseconds(300)), .hold, .raw([], closes: false),
        ]
        try await EndpointFixture.with({ $0.timeout = .seconds(2) }) { fixture in
            for mode in silent {
                fixture.simulator.set(Fault(mode, count: 1))
                let failure = try await fixture.failure()
                #expect(failure.kind == .timeout, "\(mode)")
                #expect(failure.outcomeIsUnknown, "\(mode)")
            }
        }
    }
}
