// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Logging
package import TokenCore

/// OAuth clients, as operators put them in and out.
extension AccountConnector {
    /// See ``Enrolling/clients()``.
    package func clients() async throws(EnrollmentFailure) -> [ClientListing] {
        let (stored, accounts) = try await known()
        let others = accounts.values.reduce(0, +)
        let own = configured.registration
        let first = ClientListing(
            name: ClientRegistration.configuredName,
            environment: own.environment,
            clientID: own.clientID,
            redirectURI: configured.redirectURI,
            scopes: configured.scopes,
            secretChangedAt: nil,
            accounts: max(await effects.accountsWithGrant() - others, 0),
            obstacle: nil
        )
        return [first] + stored.map { ClientListing($0, accounts: accounts[$0.name] ?? 0) }
    }

    /// See ``Enrolling/put(_:)``.
    package func put(_ draft: ClientDraft) async throws(EnrollmentFailure) -> (client: ClientListing, notes: [String]) {
        try ClientName.check(draft.name)
        try ClientScope.check(draft.scopes ?? [])
        let (stored, accounts) = try await known()
        let before = stored.first { $0.name == draft.name }
        let client = try StoredClient(draft, over: before, else: configured, at: clock().wall)
        let notes = try inspect(client) + Self.notesOnChange(from: before, to: client, accounts[draft.name] ?? 0)
        let outcome: Result<Void, ClientRefusal>
        do throws(StoreFailure) {
            outcome = try await store.put(client)
        } catch {
            await effects.clientsWereChanged()
            throw .unknown(error, "The OAuth client \(draft.name)", "stored")
        }
        try outcome.mapError(EnrollmentFailure.init).get()
        logger.notice(
            "OAuth client put in because somebody asked for it",
            metadata: [LogKey.client: "\(client.name)", LogKey.event: "client.put"]
        )
        await effects.clientsWereChanged()
        return (ClientListing(client, accounts: accounts[draft.name] ?? 0), notes)
    }

    /// See ``Enrolling/removeClient(_:)``.
    package func removeClient(_ name: String) async throws(EnrollmentFailure) {
        guard name != ClientRegistration.configuredName else { throw ClientName.isTheConfigurations }
        let removal: ClientRemoval
        do throws(StoreFailure) {
            removal = try await store.removeClient(name)
        } catch {
            await effects.clientsWereChanged()
            throw .unknown(error, "The OAuth client \(name)", "removed")
        }
        switch removal {
        case .removed:
            logger.notice(
                "OAuth client removed because somebody asked for it",
                metadata: [LogKey.client: "\(name)", LogKey.event: "client.removed"]
            )
            await effects.clientsWereChanged()
        case .unknown: throw .noClient(name)
        case .inUse(let accounts):
            throw EnrollmentFailure(
                .invalid,
                "The OAuth client \(name) was not removed: \(Self.holding(accounts)) of it. Connect them with another client "
                    + "first, or disconnect them."
            )
        }
    }

    private func known() async throws(EnrollmentFailure) -> (clients: [StoredClient], accounts: [String: Int]) {
        do throws(StoreFailure) {
            return (try await store.clients(), try await store.accountsByClient())
        } catch {
            throw .unavailable(error, "The OAuth clients cannot be told")
        }
    }

    /// What can be known of a client before it is used.
    private func inspect(_ client: StoredClient) throws(EnrollmentFailure) -> [String] {
        let findings = InspectedClient(client, beside: configured.registration).settingFindings
        guard findings.worst != .fault else {
            throw EnrollmentFailure(
                .invalid,
                findings.filter { $0.severity == .fault }.sentences.joined(separator: " ")
            )
        }
        return findings.bySeverity.sentences
    }

    private static func holding(_ accounts: Int) -> String {
        accounts == 1 ? "1 account has a grant" : "\(accounts) accounts have grants"
    }

    private static func notesOnChange(from before: StoredClient?, to after: StoredClient, _ accounts: Int) -> [String] {
        guard let before, accounts > 0, before.clientSecret != after.clientSecret else { return [] }
        return [
            "\(holding(accounts)) of this client. If its secret was made anew at TastyTrade, those grants are dead: connect the "
                + "accounts again, or put the old secret back while it is still good and move them to a second client one by one."
        ]
    }
}

/// What a client may be called.
enum ClientName {
    /// The longest name, in bytes.
    private static let longest = 64

    /// The configuration's own client is not kept in the database.
    static let isTheConfigurations = EnrollmentFailure(
        .invalid,
        "The OAuth client default is the configuration's: change it there (tastytrade.clientId, tastytrade.clientSecret), or choose "
            + "another name."
    )

    /// Looks at a name.
    ///
    /// - Parameter name: the name.
    /// - Throws: why no client can be called so.
    static func check(_ name: String) throws(EnrollmentFailure) {
        // Nor may one look like it.
        guard name.lowercased() != ClientRegistration.configuredName else { throw isTheConfigurations }
        let isNamed = name.utf8.first.map { isAlphanumeric($0) } ?? false
        guard isNamed, name.utf8.count <= longest,
            name.utf8.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) })
        else {
            throw EnrollmentFailure(
                .invalid,
                "An OAuth client's name has letters a to z, digits, dots, dashes and underscores, \(longest) at most, and begins with "
                    + "a letter or digit."
            )
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}

/// What a scope may be called (RFC 6749 section 3.3).
enum ClientScope {
    /// Looks at scopes.
    ///
    /// - Parameter scopes: each by itself.
    /// - Throws: that one of them is none.
    static func check(_ scopes: [String]) throws(EnrollmentFailure) {
        let areScopes = scopes.allSatisfy { scope in
            !scope.isEmpty && scope.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        }
        guard areScopes else {
            throw EnrollmentFailure(
                .invalid,
                "A scope is a word of visible ASCII without quotes and backslashes, such as read."
            )
        }
    }
}

extension StoredClient {
    /// What was entered, over what there was; a new one has the configuration's redirect address, scopes and environment where it does not
    /// say.
    fileprivate init(
        _ draft: ClientDraft,
        over before: StoredClient?,
        else configured: ConfiguredClient,
        at now: WallTime
    ) throws(EnrollmentFailure) {
        guard let clientID = draft.clientID ?? before?.clientID, !clientID.isEmpty else {
            throw EnrollmentFailure(.invalid, "A new OAuth client needs its client id: give client_id.")
        }
        guard let secret = draft.clientSecret.map(Result.success) ?? before?.clientSecret else {
            throw EnrollmentFailure(.invalid, "A new OAuth client needs its client secret: give client_secret.")
        }
        self.init(
            name: draft.name,
            environment: try draft.readEnvironment() ?? before?.environment ?? configured.registration.environment,
            clientID: clientID,
            clientSecret: secret,
            redirectURI: draft.redirectURI ?? before?.redirectURI ?? configured.redirectURI,
            scopes: draft.scopes ?? before?.scopes ?? configured.scopes,
            // As the store will say: a first secret has replaced none.
            secretChangedAt: before.flatMap { $0.clientSecret == secret ? $0.secretChangedAt : now }
        )
    }
}

extension ClientDraft {
    fileprivate func readEnvironment() throws(EnrollmentFailure) -> TradeEnvironment? {
        guard let environment else { return nil }
        guard let known = TradeEnvironment(rawValue: environment) else {
            throw EnrollmentFailure(.invalid, "The environment is production or sandbox.")
        }
        return known
    }
}

extension ClientListing {
    fileprivate init(_ client: StoredClient, accounts: Int) {
        self.init(
            name: client.name,
            environment: client.environment,
            clientID: client.clientID,
            redirectURI: client.redirectURI,
            scopes: client.scopes,
            secretChangedAt: client.secretChangedAt,
            accounts: accounts,
            obstacle: client.obstacle
        )
    }
}

extension EnrollmentFailure {
    fileprivate init(_ refusal: ClientRefusal) {
        switch refusal {
        case .secret(.noSealingKey):
            self.init(.noSealingKey, "The client's secret was not stored: \(SharedSecretFailure.noSealingKey).")
        case .secret(let failure): self.init(.invalid, "The client's secret was not stored: \(failure).")
        case .otherEnvironment(let environment):
            self.init(
                .invalid,
                "The client stays in \(environment.rawValue), since accounts have grants of it from there, or are about to. Make another client."
            )
        case .noSchema:
            self.init(
                .unavailable,
                "There is no schema of the daemon's own to keep clients in: run tastytokend migrate, with a role that may make it."
            )
        }
    }
}
