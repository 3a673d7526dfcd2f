// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import Enrollment

/// What `doctor` says of an account's state, of its client, and of what could not be looked at.
@Suite(.timeLimit(.minutes(1))) struct DiagnosisStateTests {
    private let fixture = DiagnosisFixture()
    private let user = DiagnosisFixture.user

    private func diagnose(_ client: ClientRegistration = ConnectorFixture.registration) async throws -> Diagnosis {
        try #require(await fixture.diagnoser(client).diagnose(user))
    }

    @Test(
        arguments: [
            (.active, .ok), (.refreshing, .ok), (.degraded, .warn), (.expired, .fail),
            (.reauthorizationRequired, .fail), (.unknownOutcome, .fail), (.unreadable, .fail), (.noGrant, .fail),
        ] as [(GrantStatus, DiagnosisFinding.Grade)]
    )
    func theStateIsToldInTheEnginesWords(_ status: GrantStatus, _ grade: DiagnosisFinding.Grade) async throws {
        fixture.explain(status)
        let diagnosis = try await diagnose()
        let first = try #require(diagnosis.findings.first)
        #expect(first.code == "status_\(status.rawValue)" && first.grade == grade && first.problem == "Because.")
        // A dead token is tried for.
        #expect(diagnosis.needsAPerson == (grade == .fail && status != .expired))
    }

    @Test(
        arguments: [
            (.gateway, 401, "refresh_user_agent_refused", true), (.gateway, 403, "refresh_gateway", true),
            (.clientRefused, 401, "refresh_client_refused", true), (.grantRefused, 400, "refresh_grant_refused", true),
            (.serverFault, 502, "refresh_server_fault", false), (.timeout, nil, "refresh_timeout", false),
            (.connect, nil, "refresh_connect", false), (.tls, nil, "refresh_tls", true),
            (.redirected, 302, "refresh_redirected", true), (.throttled, 429, "refresh_throttled", false),
        ] as [(RefreshFailure.Kind, Int?, String, Bool)]
    )
    func theLastFailureIsExplained(
        _ kind: RefreshFailure.Kind,
        _ status: Int?,
        _ code: String,
        _ needsAPerson: Bool
    ) async throws {
        fixture.explain(.expired, failure: RefreshFailure(kind, httpStatus: status, text: "words"))
        fixture.serve(nil)
        let diagnosis = try await diagnose()
        let finding = diagnosis.findings[1]
        #expect(finding.code == code && finding.grade == .fail && finding.remedy != nil, "\(finding)")
        #expect(diagnosis.needsAPerson == needsAPerson)
        #expect(diagnosis.findings.last?.code == "probe_without_token" && fixture.endpoint.shown.count == 0)
        fixture.explain(.degraded, failure: RefreshFailure(kind, httpStatus: status, text: "words"))
        #expect(try await diagnose().verdict == .warn)
    }

    @Test func nobodyIsDiagnosedWhoIsNotThere() async {
        #expect(await fixture.diagnoser().diagnose(UserID("nobody")) == nil)
    }

    @Test func aRowThatTheDaemonDoesNotKnowYetAndOneThatIsGoneAreTold() async throws {
        fixture.explain(nil)
        #expect(try await diagnose().findings.first?.code == "row_not_taken_up")
        fixture.explain(.active)
        fixture.table.set(user, nil)
        let codes = try await diagnose().findings.map(\.code)
        #expect(codes.prefix(2) == ["status_active", "row_gone"])
    }

    /// What the database holds is left out then, and the rest said.
    @Test func withoutTheDatabaseTheRestIsSaid() async throws {
        fixture.table.fail(with: StoreFailure(.unavailable, text: "The database is away."))
        let diagnosis = try await diagnose()
        #expect(
            diagnosis.findings.map(\.code) == [
                "status_active", "database_unavailable", "client_sound", "accounts_listed", "clock_agrees",
            ]
        )
        #expect(diagnosis.verdict == .warn && !diagnosis.needsAPerson)
        fixture.explain(nil)
        #expect(await fixture.diagnoser().diagnose(user) == nil)
    }

    @Test func slipsOfTheClientAreNamed() async throws {
        let secret = ConnectorFixture.registration.clientSecret.reveal()
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: secret,
            clientSecret: Secret("'\(secret)'"),
            apiURL: "https://api.cert.tastyworks.com"
        )
        let findings = try await diagnose(client).findings
        #expect(findings.contains { $0.code == "client_id_looks_like_secret" && $0.grade == .warn })
        #expect(findings.contains { $0.code == "client_secret_unclean" && $0.grade == .fail })
        #expect(!findings.contains { $0.code == "client_sound" || "\($0)".contains(secret) })
    }

    @Test func aSecondClientIsLookedAtInItsPlace() async throws {
        fixture.change { $0.client = "second" }
        let missing = try await diagnose()
        #expect(missing.findings.contains { $0.code == "client_unknown" && $0.grade == .fail })
        #expect(fixture.endpoint.shown.count == 0, "whose API to ask is not known")
        fixture.table.add(ConnectorFixture.client(secret: .failure(.noSealingKey), .sandbox))
        let closed = try await diagnose()
        #expect(closed.findings.contains { $0.code == "client_unusable" && $0.grade == .fail && $0.remedy != nil })
        #expect(closed.findings.contains { $0.code == "grant_of_other_client" })
    }

    /// What was refreshed since the secret was replaced outlived that.
    @Test func anOldGrantIsNoSlipIfItWorks() async throws {
        let now = Moment.newYear.wall
        fixture.change { $0.client = "second" }
        fixture.table.add(
            StoredClient(
                name: "second",
                environment: .sandbox,
                clientID: ConnectorFixture.registration.clientID ?? "",
                clientSecret: .success(ConnectorFixture.registration.clientSecret),
                redirectURI: "https://app.example/cb",
                scopes: ["read"],
                secretChangedAt: now
            )
        )
        #expect(try await diagnose().findings.contains { $0.code == "older_than_secret" && $0.grade == .warn })
        fixture.explain(.active, refreshedAt: now + .seconds(1))
        #expect(!(try await diagnose().findings.contains { $0.code == "older_than_secret" }))
    }

    /// A sandbox token is never sent to production, nor the other way round.
    @Test func aTokenOfTheClientThatTheRowHadBeforeIsShownToNobody() async throws {
        fixture.change { $0.client = "second" }
        fixture.table.add(ConnectorFixture.client())
        let found = try await diagnose().findings
        #expect(found.last?.code == "probe_of_other_client" && fixture.endpoint.shown.count == 0)
    }

    /// The account is connected with another client between the first look and the question: the sandbox's host does not get production's token.
    @Test func aTokenOfTheClientThatTheRowGotMeanwhileIsShownToNobody() async throws {
        let second = ClientRegistration(
            name: "second",
            environment: .production,
            clientID: DiagnosisFixture.other,
            clientSecret: Secret("s2"),
            apiURL: "https://api.tastyworks.com"
        )
        fixture.overtake { [fixture] in fixture.serve("production-canary", client: second) }
        let found = try await diagnose().findings
        #expect(found.last?.code == "probe_of_other_client" && fixture.endpoint.shown.count == 0)
    }

    @Test func aTokenIsShownToItsOwnClientsEnvironment() async throws {
        _ = try await diagnose()
        #expect(await fixture.endpoint.clients.next() == ConnectorFixture.registration)
    }

    @Test func aSecretThatWasReplacedIsTheOneThatIsHeldAgainst() async throws {
        let diagnoser = fixture.diagnoser()
        await diagnoser.replaceSecret(with: Secret(""))
        let findings = await diagnoser.diagnose(user)?.findings ?? []
        #expect(findings.contains { $0.code == "client_secret_missing" })
    }
}
