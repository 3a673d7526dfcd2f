// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import Enrollment

/// What `doctor` finds, one slip at a time (fact sheet section 13).
@Suite(.timeLimit(.minutes(1))) struct DiagnosisTests {
    private let fixture = DiagnosisFixture()
    private let user = DiagnosisFixture.user

    private func diagnose(_ client: ClientRegistration = ConnectorFixture.registration) async throws -> Diagnosis {
        let diagnosis = try #require(await fixture.diagnoser(client).diagnose(user))
        expectClean(diagnosis)
        return diagnosis
    }

    /// No token, secret or person is in any words.
    private func expectClean(_ diagnosis: Diagnosis) {
        let words = diagnosis.findings.map { "\($0)" }.joined()
        let row = fixture.table.row(user)
        let secrets = [row?.refreshToken, row?.accessToken].compactMap { $0 }.flatMap { $0.split(separator: ".") }
        for secret in secrets + ["canary", "0123456789abcdef0123"] where secret.count > 8 || secret == "canary" {
            #expect(!words.contains(secret), "\(words)")
        }
        #expect(
            diagnosis.findings.allSatisfy { $0.problem.hasSuffix(".") && $0.remedy.map { $0.hasSuffix(".") } ?? true }
        )
    }

    @Test func ofAHealthyAccountAllIsSaidToBeWell() async throws {
        let diagnosis = try await diagnose()
        #expect(
            diagnosis.findings.map(\.code) == [
                "status_active", "refresh_token_sound", "access_token_sound", "client_sound", "accounts_listed",
                "clock_agrees",
            ]
        )
        #expect(
            diagnosis.findings.allSatisfy { $0.grade == .ok } && diagnosis.verdict == .ok && !diagnosis.needsAPerson
        )
        #expect(await fixture.endpoint.shown.next() == Secret("served-canary"))
    }

    @Test(
        arguments: [
            (" \(DiagnosisFixture.token())", "stored_token_unclean", .fail),
            ("\(DiagnosisFixture.token()) ", "stored_token_unclean", .fail),
            ("'\(DiagnosisFixture.token())'", "stored_token_unclean", .fail),
            ("Bearer \(DiagnosisFixture.token())", "stored_token_unclean", .fail),
            (DiagnosisFixture.token(type: "at+jwt"), "access_token_pasted", .fail),
            ("https://app.example/cb?code=canary&state=s", "redirect_pasted", .fail),
            (ConnectorFixture.registration.clientID ?? "", "client_id_pasted", .fail),
            (ConnectorFixture.registration.clientSecret.reveal(), "client_secret_pasted", .fail),
            ("no-token-at-all", "not_a_jwt", .warn),
            (String(DiagnosisFixture.token().dropLast(40)), "token_truncated", .fail),
            (DiagnosisFixture.token(issuer: "https://api.tastytrade.com"), "grant_of_other_environment", .fail),
            (DiagnosisFixture.token(audience: DiagnosisFixture.other), "grant_of_other_client", .warn),
            (DiagnosisFixture.token(scope: "read"), "scope_lacks_trade", .warn),
            (DiagnosisFixture.token(scope: "trade"), "scope_lacks_read", .warn),
            (DiagnosisFixture.token(more: #","iat":\#(Moment.newYear.wall.seconds + 3600)"#), "token_damaged", .warn),
        ] as [(String, String, DiagnosisFinding.Grade)]
    )
    func slipsOfTheRefreshTokenAreNamed(_ token: String, _ code: String, _ grade: DiagnosisFinding.Grade) async throws {
        fixture.change { $0.refreshToken = token }
        let diagnosis = try await diagnose()
        let finding = try #require(diagnosis.findings.first { $0.code == code }, "\(diagnosis.findings)")
        #expect(finding.grade == grade && finding.remedy != nil)
        #expect(!diagnosis.findings.contains { $0.code == "refresh_token_sound" })
        #expect(diagnosis.verdict == grade && diagnosis.needsAPerson == (grade == .fail))
    }

    @Test(
        arguments: [
            (DiagnosisFixture.token(), 900, "refresh_token_as_access_token", .fail),
            (
                DiagnosisFixture.token(type: "at+jwt", issuer: "https://api.tastytrade.com"), 900,
                "access_token_of_other_environment", .fail
            ),
            (
                DiagnosisFixture.token(type: "at+jwt", audience: DiagnosisFixture.other), 900,
                "access_token_of_other_client", .warn
            ),
            (DiagnosisFixture.accessToken, 900 + 5 * 3600, "access_token_ends_otherwise", .warn),
            (DiagnosisFixture.accessToken + " ", 900, "stored_token_unclean", .fail),
        ] as [(String, Int64, String, DiagnosisFinding.Grade)]
    )
    func slipsOfTheAccessTokenAreNamed(
        _ token: String,
        _ end: Int64,
        _ code: String,
        _ grade: DiagnosisFinding.Grade
    ) async throws {
        fixture.change { ($0.accessToken, $0.expiresAt) = (token, Moment.newYear.wall + .seconds(end)) }
        let finding = try #require(try await diagnose().findings.first { $0.code == code })
        #expect(finding.grade == grade && finding.remedy != nil)
    }

    @Test(
        arguments: [
            (.failure(.gateway(status: 401)), "probe_user_agent_refused", .fail, true),
            (.failure(.gateway(status: 403)), "probe_gateway", .fail, true),
            (.failure(.tokenNotAccepted), "access_token_not_accepted", .fail, true),
            (.failure(.notPermitted), "access_token_not_permitted", .warn, false),
            (.failure(.throttled(retryAfter: .seconds(7))), "probe_throttled", .warn, false),
            (.failure(.serverFault(status: 502)), "probe_server_fault", .warn, false),
            (.failure(.redirected), "probe_redirected", .fail, true),
            (.failure(.unexpected(status: 418)), "probe_unexpected", .warn, false),
            (.failure(.malformed), "probe_malformed", .warn, false),
            (.failure(.notReached("the name was not found")), "probe_not_reached", .fail, false),
            (.failure(.noAnswer("no whole reply came before the deadline")), "probe_no_answer", .warn, false),
            (.success(AccountSummary([AccountSummary.Authority]())), "accounts_none", .warn, false),
            (.success(AccountSummary([AccountSummary.Authority.owner, .readOnly])), "accounts_listed", .ok, false),
        ] as [(Result<AccountSummary, AccountProbeFailure>, String, DiagnosisFinding.Grade, Bool)]
    )
    func whatTastyTradeSaysIsPutIntoWords(
        _ outcome: Result<AccountSummary, AccountProbeFailure>,
        _ code: String,
        _ grade: DiagnosisFinding.Grade,
        _ needsAPerson: Bool
    ) async throws {
        fixture.endpoint.answer(outcome, behind: nil)
        let diagnosis = try await diagnose()
        let finding = try #require(diagnosis.findings.last)
        #expect(finding.code == code && finding.grade == grade, "\(finding)")
        #expect((finding.remedy == nil) == (grade == .ok) && diagnosis.needsAPerson == needsAPerson)
    }

    @Test(arguments: [(3600 as Int64, "1 hour ahead"), (-90, "1 minute behind"), (29, nil)] as [(Int64, String?)])
    func aClockThatIsWrongIsNamed(_ ahead: Int64, _ words: String?) async throws {
        fixture.endpoint.answer(.failure(.notPermitted), behind: .seconds(ahead))
        let finding = try #require(try await diagnose().findings.last)
        #expect(finding.code == (words == nil ? "clock_agrees" : "clock_skew"))
        if let words { #expect(finding.problem.contains(words) && finding.grade == .warn) }
    }

    /// The daemon may have refreshed while TastyTrade was asked.
    @Test func aTokenThatWasReplacedMeanwhileSaysNothing() async throws {
        fixture.endpoint.answer(.failure(.tokenNotAccepted), behind: nil)
        fixture.endpoint.hold()
        async let diagnosis = diagnose()
        _ = await fixture.endpoint.shown.next()
        fixture.serve("next-canary")
        fixture.endpoint.release()
        #expect(try await diagnosis.findings.last?.code == "probe_overtaken")
    }
}
