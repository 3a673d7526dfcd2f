// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A link that begins an authorization in whatever browser opens it, once.
package struct AuthorizationLink: Hashable, Sendable {
    /// How long it is good, by the database's clock.
    package static let lifetime: Duration = .seconds(600)
    /// How many are good for one user; the oldest gives way.
    package static let mostOfOneUser = 20

    /// The hash of what makes it secret.
    package let hash: SecretHash
    /// Whose account is to be connected.
    package let user: UserID
    /// The name of the OAuth client that a grant is to be asked for; nil is the configuration's.
    package let client: String?

    /// Puts a link together.
    package init(hash: SecretHash, user: UserID, client: String?) {
        self.hash = hash
        self.user = user
        self.client = client
    }
}
