// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
package import TokenCore

/// Looks for what is wrong with an account: at the row, at the tokens in it and at the client, which asks nobody; and then at what TastyTrade
/// says to the live access token, by the question for its accounts alone (fact sheet section 12).
package actor AccountDiagnoser {
    /// A token that programs are given, and the client that it is of. Both are of one moment: the account may be connected anew, with another
    /// client, between any two questions.
    package struct ServedToken: Sendable {
        let token: Secret
        let life: TokenLife
        let client: ClientRegistration

        /// Puts together what the engine told in one turn.
        ///
        /// - Parameters:
        ///   - token: the token, as TastyTrade gave it.
        ///   - life: how long it lives.
        ///   - client: whose it is: what is asked with it goes to this one's environment.
        package init(_ token: Secret, _ life: TokenLife, of client: ClientRegistration) {
            (self.token, self.life, self.client) = (token, life, client)
        }
    }

    /// What the engine knows.
    package struct Knowledge: Sendable {
        /// Why an account stands as it does; nil if there is no such row.
        let explanation: @Sendable (UserID) async -> GrantExplanation?
        /// The token that is served of it; nil if there is none.
        let servedToken: @Sendable (UserID) async -> ServedToken?

        /// Takes what the engine offers.
        package init(
            explanation: @escaping @Sendable (UserID) async -> GrantExplanation?,
            servedToken: @escaping @Sendable (UserID) async -> ServedToken?
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
        findings += await probeFindings(of: user, client)
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
    private func probeFindings(of user: UserID, _ client: InspectedClient?) async -> [DiagnosisFinding] {
        guard let served = await engine.servedToken(user), served.life.isAlive(at: clock()) else {
            return [.nothingToAskWith]
        }
        guard let client else { return [] }
        // What was found until now is of the row's client; the token may be of the one before, or of the next.
        guard served.client.isSameService(as: client.registration) else { return [.tokenIsOfAnotherClient] }
        do throws(ProbeLedger.Obstacle) {
            try probes.begin(user, at: clock())
        } catch {
            return [.wasAskedAMomentAgo(error.wait)]
        }
        defer { probes.end(user, at: clock()) }
        // A token goes nowhere but to its own client's environment.
        let probe = await endpoint.probe(served.token, of: served.client)
        // It may have died, or been replaced, meanwhile.
        let isCurrent = await engine.servedToken(user)?.token == served.token && served.life.isAlive(at: clock())
        return probe.findings(for: user, served.client.environment, isCurrent: isCurrent)
    }
}

extension ClientRegistration {
    /// Whether both are one client, in one environment.
    fileprivate func isSameService(as other: ClientRegistration) -> Bool {
        name == other.name && environment == other.environment
    }
}

extension InspectedClient {
    /// Takes the configuration's client.
    fileprivate init(_ configured: ConfiguredClient) {
        self.init(configured.registration, redirectURI: configured.redirectURI, scopes: configured.scopes)
    }
}
