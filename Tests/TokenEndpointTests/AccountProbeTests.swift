// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// The question for accounts: against a live simulator, and what each kind of answer means.
@Suite(.timeLimit(.minutes(2))) struct AccountProbeTests {
    private func refusal(
        _ fixture: EndpointFixture,
        _ token: Secret = Secret("planted-access-token")
    ) async throws -> AccountProbeFailure {
        try await #require(throws: AccountProbeFailure.self) {
            _ = try await fixture.client.probe(token, of: fixture.application).outcome.get()
        }
    }

    @Test(arguments: [false, true]) func aLiveTokenSeesItsAccounts(tls: Bool) async throws {
        try await EndpointFixture.with(tls: tls) { fixture in
            let token = try await fixture.refresh().accessToken
            let accounts = try await fixture.client.probe(token, of: fixture.application).outcome.get()
            #expect(accounts.count == 1 && accounts.byAuthority == [.owner: 1])
            let request = try #require(fixture.simulator.requests.last)
            #expect(request.method == "GET" && request.path == "/customers/me/accounts")
            #expect(fixture.simulator.requests.allSatisfy { $0.path != "/customers/me" })
            // Nothing personal is kept.
            #expect(!"\(accounts)".contains("5WT"))
        }
    }

    @Test func aDeadTokenAndOneWithoutTheScopeAreToldApart() async throws {
        try await EndpointFixture.with { fixture in
            #expect(try await refusal(fixture) == .tokenNotAccepted)
            let answer = try await fixture.exchange(try await fixture.code(scope: "openid"))
            #expect(try await refusal(fixture, answer.accessToken) == .notPermitted)
        }
    }

    @Test func aClosedPortIsNotReached() async throws {
        try await EndpointFixture.with { fixture in
            try await fixture.simulator.goDown()
            guard case .notReached = try await refusal(fixture) else {
                Issue.record("nobody was there")
                return
            }
        }
    }

    @Test func anUnknownAuthorityIsNotReachedAndTheTokenIsNotSent() async throws {
        try await EndpointFixture.with(tls: true, { $0.caFile = nil }) { fixture in
            guard case .notReached(let words) = try await refusal(fixture) else {
                Issue.record("the certificate was trusted")
                return
            }
            #expect(words.contains("TLS"))
            #expect(fixture.simulator.counts.requests == 0)
        }
    }

    @Test(
        arguments: [
            (
                200, #"{"data":{"items":[{"account":{},"authority-level":"trade-only"},{"authority-level":"x"},{}]}}"#,
                nil
            ),
            (200, #"{"data":{"items":[]},"context":"/customers/me/accounts"}"#, nil),
            (200, #"{"data":{"items":["5WT00001"]}}"#, .malformed), (200, #"{"data":{}}"#, .malformed),
            (200, "", .malformed), (200, "<html>", .malformed), (200, #"{"data":{"items":[{}"#, .malformed),
            (429, "", .throttled(retryAfter: .seconds(7))), (408, "", .serverFault(status: 408)),
            (504, "<html>", .serverFault(status: 504)),
            (404, #"{"error":{"code":"not_found"}}"#, .unexpected(status: 404)),
            (401, #"{"error":{"code":"token_invalid","message":"x"}}"#, .tokenNotAccepted),
            (401, "", .gateway(status: 401)),
            (403, #"{"error":{"code":"not_permitted"}}"#, .notPermitted), (301, "", .redirected),
        ] as [(Int, String, AccountProbeFailure?)]
    )
    func repliesAreRead(_ status: Int, _ body: String, _ expected: AccountProbeFailure?) {
        let reading = AccountsReading(TokenReply(status, body, retryAfter: "7"), receivedAt: Moment.newYear.wall)
        do throws(AccountProbeFailure) {
            let accounts = try reading.summary()
            #expect(expected == nil)
            #expect(accounts.count == 0 || accounts.byAuthority == [.tradeOnly: 1, .unknown: 2])
        } catch {
            #expect(error == expected)
        }
    }

    /// A refusal has a clock too.
    @Test func theOtherSidesClockIsTold() async throws {
        try await EndpointFixture.with { fixture in
            let token = try await fixture.refresh().accessToken
            for secret in [token, Secret("planted-access-token")] {
                let probe = await fixture.client.probe(secret, of: fixture.application)
                let time = try #require(probe.endpointTime)
                #expect(abs(time.seconds - SimulatorInstant.systemNow().seconds) < 60, "\(probe)")
                #expect(probe.endedAt == Moment.newYear.wall)
            }
            try await fixture.simulator.goDown()
            #expect(await fixture.client.probe(token, of: fixture.application).endpointTime == nil)
        }
    }

    @Test func anAnswerIsWaitedForAsLongAsAPersonWaits() async throws {
        try await EndpointFixture.with({ $0.probeTimeout = .zero }) { fixture in
            let probe = await fixture.client.probe(Secret("planted-access-token"), of: fixture.application)
            switch probe.outcome {
            case .failure(.notReached), .failure(.noAnswer): break
            default: Issue.record("it was waited for: \(probe)")
            }
        }
    }

    @Test func aCallerWhoseUserAgentIsRefusedIsToldApart() async throws {
        try await EndpointFixture.with { fixture in
            let token = try await fixture.refresh().accessToken
            for isEmpty in [false, true] {
                fixture.simulator.set(Fault(.userAgentRefused(isEmpty: isEmpty), count: 1))
                #expect(try await refusal(fixture, token) == .gateway(status: 401))
            }
            #expect(try await fixture.client.probe(token, of: fixture.application).outcome.get().count == 1)
            #expect(fixture.simulator.counts.count(.userAgentRefused) == 2)
        }
    }

    /// Of an error page the status says enough: what is beyond the bound is not looked at.
    @Test func aLongAnswerIsNotReadToItsEnd() async throws {
        try await EndpointFixture.with({ $0.replyLimit = 16 }) { fixture in
            let found = try await refusal(fixture)
            #expect(found == .gateway(status: 401))
        }
    }

    @Test func noFailureShowsWhatTheAnswerQuotes() {
        let body = #"{"error":{"code":"planted-access-token","message":"no planted-access-token here"}}"#
        for status in [200, 302, 401, 403, 404, 429, 503] {
            let reading = AccountsReading(TokenReply(status, body), receivedAt: Moment.newYear.wall)
            let failure = #expect(throws: AccountProbeFailure.self) { try reading.summary() }
            let shown = failure.map { "\($0) \(String(reflecting: $0))" }
            #expect(shown?.contains("planted") == false)
        }
    }
}
