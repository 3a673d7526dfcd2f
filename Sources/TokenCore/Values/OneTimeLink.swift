// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A link that is good once.
package struct OneTimeLink: Hashable, Sendable {
    /// What a link is for.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Opens the console (`tastytoken console`).
        case console
        /// Begins an authorization (`tastytoken grant authorize`).
        case authorize

        /// How long it is good, by the database's clock. The console's is opened at once by whoever asked for it.
        package var lifetime: Duration {
            switch self {
            case .console: .seconds(60)
            case .authorize: .seconds(600)
            }
        }
    }

    /// How many of one kind are good for one user, or for nobody in particular; the oldest gives way.
    package static let mostOfOneUser = 20

    /// The hash of what makes it secret.
    package let hash: SecretHash
    /// What it is for.
    package let kind: Kind
    /// Whom it is about, if anybody.
    package let user: UserID?
    /// The name of the OAuth client that a grant is to be asked for; nil is the configuration's.
    package let client: String?

    /// Puts a link together.
    package init(hash: SecretHash, kind: Kind, user: UserID? = nil, client: String? = nil) {
        self.hash = hash
        self.kind = kind
        self.user = user
        self.client = client
    }
}
