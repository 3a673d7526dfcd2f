// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// An OAuth client as it is kept in the daemon's own schema, for all daemons on the database.
package struct StoredClient: Hashable, Sendable {
    /// The name under which operators know it.
    package let name: String
    /// The world it was registered in.
    package let environment: TradeEnvironment
    /// `client_id`.
    package let clientID: String
    /// `client_secret`, or why it cannot be had.
    package let clientSecret: Result<Secret, SharedSecretFailure>
    /// Where the authorize page sends people back to; must be one that TastyTrade knows, to the letter.
    package let redirectURI: String
    /// What the client asks for.
    package let scopes: [String]
    /// When the secret was last replaced: grants from before that are dead at TastyTrade (fact sheet section 2). Nil for one that is
    /// yet to be stored.
    package let secretChangedAt: WallTime?

    /// Puts together what is kept, or is to be.
    package init(
        name: String,
        environment: TradeEnvironment,
        clientID: String,
        clientSecret: Result<Secret, SharedSecretFailure>,
        redirectURI: String,
        scopes: [String],
        secretChangedAt: WallTime? = nil
    ) {
        self.name = name
        self.environment = environment
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.secretChangedAt = secretChangedAt
    }
}

extension StoredClient {
    /// Why no call can be made for it, in words; nil if calls can be made.
    package var obstacle: String? {
        if case .failure(let failure) = clientSecret { "its client secret: \(failure)" } else { nil }
    }
}

extension ClientRegistration {
    /// A stored client as calls need it. Without a secret that can be had it has none, and no call is made (``StoredClient/obstacle``).
    ///
    /// - Parameters:
    ///   - client: what is kept of it.
    ///   - apiURL: where its environment is called.
    package init(_ client: StoredClient, apiURL: String) {
        let secret: Secret = if case .success(let secret) = client.clientSecret { secret } else { Secret("") }
        self.init(
            name: client.name,
            environment: client.environment,
            clientID: client.clientID,
            clientSecret: secret,
            apiURL: apiURL
        )
    }
}

/// What became of removing a client.
package enum ClientRemoval: Hashable, Sendable {
    /// It is gone.
    case removed
    /// There was none of that name.
    case unknown
    /// So many accounts have grants of it, and it stays.
    case inUse(accounts: Int)
}

/// Why a client was not stored. Says nothing of its secret, and may be shown.
package enum ClientRefusal: Error, Hashable, Sendable {
    /// Its secret cannot be sealed.
    case secret(SharedSecretFailure)
    /// Accounts have grants of it, from its environment as it was.
    case otherEnvironment(TradeEnvironment)
    /// The daemon has no schema of its own.
    case noSchema
}
