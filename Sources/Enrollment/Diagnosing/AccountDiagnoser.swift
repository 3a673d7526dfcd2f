// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
package import TokenCore

/// Looks for what is wrong with an account: at the row, at the tokens in it and at the client, which asks nobody; and then at what TastyTrade
/// says to the live access token, by the question for its accounts alone (fact sheet section 12).
package actor AccountDiagnoser {
    /// What the engine knows.
    package struct Knowledge: Sendable {
        /// Why an account stands as it does; nil if there is no such row.
        let explanation: @Sendable (UserID) async -> GrantExplanation?
        /// The token that is served of it, and how long it lives; nil if there is none.
        let servedToken: @Sendable (UserID) -> (token: Secret, life: TokenLife)?

        /// Takes what the engine offers.
        package init(
            explanation: @escaping @Sendable (UserID) async -> GrantExplanation?,
            servedToken: @escaping @Sendable (UserID) -> (token: Secret, life: TokenLife)?
        ) {
            self.explanation = explanation
            self.servedToken = servedToken
        }
    }

    private var configured: ConfiguredClient
    private let store: any EnrollmentStoring
    private let endpoint: any AccountProbing
    private let engine: Knowledge
    private let clock: ClockReading
    private var probes = ProbeLedger()

    /// Puts it together; nothing happens until it is asked.
    ///
    /// - Parameters:
    ///   - configured: the configuration's client.
    ///   - store: where accounts and clients are.
    ///   - endpoint: who asks TastyTrade.
    ///   - engine: what the engine knows.
    ///   - clock: both clocks.
    package init(
        _ configured: ConfiguredClient,
        store: any EnrollmentStoring,
        endpoint: any AccountProbing,
        engine: Knowledge,
        clock: @escaping ClockReading
    ) {
        self.configured = configured
        self.store = store
        self.endpoint = endpoint
        self.engine = engine
        self.clock = clock
    }

    /// Goes on with another secret of the configuration's client.
    ///
    /// - Parameter secret: that one.
    package func replaceSecret(with secret: Secret) {
        configured = configured.with(secret)
    }
}

extension AccountDiagnoser: Diagnosing {
    /// See ``Diagnosing/diagnose(_:)``.
    package func diagnose(_ user: UserID) async -> Diagnosis? {
        let explanation = await engine.explanation(user)
        var findings: [DiagnosisFinding] = []
        var account: StoredAccount?
        do throws(StoreFailure) {
            account = try await StoredAccount(user, in: store)
            guard explanation != nil || account != nil else { return nil }
            if account == nil { findings.append(.rowIsGone) }
        } catch {
            guard explanation != nil else { return nil }
            findings.append(.databaseIsAway(error))
        }
        findings = (explanation?.findings ?? [.notTakenUp]) + findings
        let client = chosenClient(account, explanation)
        if let account, let client {
            findings += account.findings(
                for: client,
                lastRefreshedAt: explanation?.report.lastRefreshedAt,
                at: clock().wall
            )
        }
        findings += clientFindings(client, account, explanation)
        findings += await probeFindings(of: user, client, servedOf: explanation?.report.client)
        return Diagnosis(of: user, findings)
    }
}

extension AccountDiagnoser {
    /// The client of the grant; nil if it is one that is not to be had.
    private func chosenClient(_ account: StoredAccount?, _ explanation: GrantExplanation?) -> InspectedClient? {
        let own = InspectedClient(configured)
        let name = account.map { $0.row.client ?? ClientRegistration.configuredName } ?? explanation?.report.client
        guard let name, name != ClientRegistration.configuredName else { return own }
        return account?.clients.first { $0.name == name }.map { InspectedClient($0, beside: own.registration) }
    }

    private func clientFindings(
        _ client: InspectedClient?,
        _ account: StoredAccount?,
        _ explanation: GrantExplanation?
    ) -> [DiagnosisFinding] {
        guard let client else {
            // Without the database only the configuration's client is known.
            guard let name = account?.row.client else { return [] }
            return [.clientIsUnknown(name)]
        }
        let stored = account?.clients.first { $0.name == client.registration.name }
        let obstacle = stored?.obstacle.map { DiagnosisFinding.clientIsObstructed(client.registration.name, $0) }
        let found = client.settingFindings.map(DiagnosisFinding.init)
        let all = (obstacle.map { [$0] } ?? []) + found
        let isSound = !all.contains { $0.grade > .note }
        return (isSound ? [.clientIsSound(client.registration)] : []) + all
    }

    /// Asks TastyTrade, once, with the token that programs are given.
    private func probeFindings(
        of user: UserID,
        _ client: InspectedClient?,
        servedOf name: String?
    ) async -> [DiagnosisFinding] {
        guard let served = engine.servedToken(user), served.life.isAlive(at: clock()) else {
            return [.nothingToAskWith]
        }
        guard let client else { return [] }
        // A token goes nowhere but to its own client's environment.
        guard name == client.registration.name else { return [.tokenIsOfAnotherClient] }
        do throws(ProbeLedger.Obstacle) {
            try probes.begin(user, at: clock())
        } catch {
            return [.wasAskedAMomentAgo(error.wait)]
        }
        defer { probes.end(user, at: clock()) }
        let probe = await endpoint.probe(served.token, of: client.registration)
        // It may have died, or been replaced, meanwhile.
        let isCurrent = engine.servedToken(user)?.token == served.token && served.life.isAlive(at: clock())
        return probe.findings(for: user, client.registration.environment, isCurrent: isCurrent)
    }
}

extension InspectedClient {
    /// Takes the configuration's client.
    fileprivate init(_ configured: ConfiguredClient) {
        self.init(configured.registration, redirectURI: configured.redirectURI, scopes: configured.scopes)
    }
}
