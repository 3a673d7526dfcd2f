// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What `GET token` gives, as a client reads it (product.md, GET token). Unknown fields are ignored.
package struct TokenReply: Hashable, Sendable, Decodable {
    /// Whose token it is.
    package let user: String
    /// The token. A secret: it goes where the caller asked for it and nowhere else.
    package let accessToken: String
    /// How the token is presented; `Bearer`.
    package let tokenType: String
    /// When it dies, RFC 3339.
    package let expiresAt: String
    /// Whole seconds that it lives yet, rounded down.
    package let expiresIn: Int
    /// The world it belongs to: `production` or `sandbox`.
    package let environment: String
    /// The base of the API that takes it.
    package let apiURL: String

    /// The names of the fields on the wire.
    package enum CodingKeys: String, CodingKey {
        case user
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresAt = "expires_at"
        case expiresIn = "expires_in"
        case environment
        case apiURL = "api_url"
    }
}
