// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// An OAuth client as `GET /v1/clients` tells it: never with its secret.
package struct ClientReply: Hashable, Sendable, Decodable {
    /// The name under which operators know it.
    package let name: String
    /// `client_id`; nil where the configuration has none.
    package let clientID: String?
    /// `production` or `sandbox`.
    package let environment: String
    /// Where the authorize page sends people back to.
    package let redirectURI: String
    /// What it asks for.
    package let scopes: [String]
    /// When its secret was last replaced, RFC 3339; nil where that is not known.
    package let secretChangedAt: String?
    /// How many accounts have grants of it.
    package let accounts: Int
    /// Why it cannot be used, in words; nil if it can be.
    package let obstacle: String?

    /// The names of the fields on the wire.
    package enum CodingKeys: String, CodingKey {
        case name, environment, scopes, accounts, obstacle
        case clientID = "client_id"
        case redirectURI = "redirect_uri"
        case secretChangedAt = "secret_changed_at"
    }

    /// Puts together what the daemon knows; the time in microseconds since 1970-01-01T00:00:00Z.
    package init(
        name: String,
        clientID: String?,
        environment: String,
        redirectURI: String,
        scopes: [String],
        secretChangedAtMicroseconds: Int64?,
        accounts: Int,
        obstacle: String?
    ) {
        self.name = name
        self.clientID = clientID
        self.environment = environment
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.secretChangedAt = secretChangedAtMicroseconds.map(Timestamp.text(microseconds:))
        self.accounts = accounts
        self.obstacle = obstacle
    }

    /// Adds the fields to an object; what is unknown is null.
    ///
    /// - Parameter text: the object, which stays open.
    package func add(to text: inout JSONText) {
        text.add(CodingKeys.name.rawValue, name)
        text.add(CodingKeys.clientID.rawValue, clientID)
        text.add(CodingKeys.environment.rawValue, environment)
        text.add(CodingKeys.redirectURI.rawValue, redirectURI)
        text.add(CodingKeys.scopes.rawValue, texts: scopes)
        text.add(CodingKeys.secretChangedAt.rawValue, secretChangedAt)
        text.add(CodingKeys.accounts.rawValue, accounts)
        text.add(CodingKeys.obstacle.rawValue, obstacle)
    }
}
