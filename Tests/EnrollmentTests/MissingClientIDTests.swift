// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import Logging
import TestSupport
import Testing
import TokenCore

/// A client without a client id: refreshes do not need one, TastyTrade's page does.
@Suite(.timeLimit(.minutes(1))) struct MissingClientIDTests {
    private let base = ConnectorFixture()
    private let table = AuthorizationTableDouble()
    private let exchange = ScriptedExchange()

    /// A code flow whose configuration has that for a client id.
    private func flow(_ id: String?) -> CodeFlow {
        let logger = Logger(label: "test") { _ in base.log }
        let client = ClientRegistration(
            name: ClientRegistration.configuredName,
            environment: .sandbox,
            clientID: id,
            clientSecret: ConnectorFixture.registration.clientSecret,
            apiURL: ConnectorFixture.registration.apiURL
        )
        let connector = AccountConnector(
            ConfiguredClient(
                client,
                authorizeURL: "https://cert-my.staging-tasty.works/auth.html",
                redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
                scopes: ["read"]
            ),
            store: base.table,
            endpoint: base.endpoint,
            effects: AccountConnector.Effects(
                rowWasWritten: { _, _ in },
                clientsWereChanged: {},
                refresh: { _ in .underWay(replacing: nil) },
                accountsWithGrant: { 0 },
                obstacle: { _ in nil },
                callEnded: { _, _, _, _ in }
            ),
            clock: base.clock.reading,
            logger: logger
        )
        return CodeFlow(
            connector,
            store: table,
            endpoint: exchange,
            secrets: CountingSecrets.source(),
            clock: base.clock.reading,
            logger: logger
        )
    }

    private func failure(_ body: () async throws(EnrollmentFailure) -> Void) async -> EnrollmentFailure? {
        do throws(EnrollmentFailure) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    /// Why nobody is sent off, whichever way it is begun; every way says the same.
    private func failures(_ flow: CodeFlow, _ client: String?) async -> Set<String> {
        let user = ConnectorFixture.user
        let all = [
            await failure { () async throws(EnrollmentFailure) in
                _ = try await flow.beginAuthorization(of: user, with: client, from: .socket)
            },
            await failure { () async throws(EnrollmentFailure) in
                _ = try await flow.beginAuthorization(of: user, with: client, from: .browser(Secret("b")))
            },
            await failure { () async throws(EnrollmentFailure) in
                _ = try await flow.authorizationSubject(of: user, with: client)
            },
            await failure { () async throws(EnrollmentFailure) in
                _ = try await flow.makeAuthorizationLink(for: user, with: client)
            },
        ]
        #expect(all.allSatisfy { $0?.kind == .invalid && $0?.retryAfter == nil })
        return Set(all.map { $0?.text ?? "nothing" })
    }

    @Test(arguments: [nil, ""])
    func ofTheConfigurationNobodyIsSentToTastyTradeAndTheSettingIsNamed(_ id: String?) async {
        let words = await failures(flow(id), nil)
        #expect(words.count == 1)
        #expect(words.first?.contains("client id") == true && words.first?.contains("tastytrade.clientId") == true)
    }

    @Test func ofTheDatabaseTheCommandIsNamed() async {
        let second = ConnectorFixture.client()
        base.table.add(
            StoredClient(
                name: second.name,
                environment: second.environment,
                clientID: "",
                clientSecret: second.clientSecret,
                redirectURI: second.redirectURI,
                scopes: second.scopes
            )
        )
        let words = await failures(flow(ConnectorFixture.registration.clientID), "second")
        #expect(words.count == 1)
        #expect(words.first?.contains("tastytoken client set second") == true, "\(words)")
    }

    /// The id was taken out of the configuration after the link was made: it is not spent for nothing.
    @Test func aLinkIsThereStillWhenTheIDIs() async throws {
        let whole = flow(ConnectorFixture.registration.clientID)
        let link = try await whole.makeAuthorizationLink(for: ConnectorFixture.user, with: nil).token
        let without = flow(nil)
        let failure = await failure { () async throws(EnrollmentFailure) in
            _ = try await without.beginAuthorization(byLink: link, in: Secret("b"))
        }
        #expect(failure?.kind == .invalid && failure?.text.contains("tastytrade.clientId") == true)
        let start = try await whole.beginAuthorization(byLink: link, in: Secret("b"))
        #expect(start.url.reveal().contains("client_id="))
    }
}
