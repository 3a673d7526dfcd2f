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

extension TokenReply {
    /// Reads a reply in the form in which the daemon mostly writes it; nil leaves it to a general decoder.
    package init?(flat body: [UInt8]) {
        guard let fields = FlatJSON(body),
            let user = fields.text(CodingKeys.user.rawValue),
            let accessToken = fields.text(CodingKeys.accessToken.rawValue),
            let tokenType = fields.text(CodingKeys.tokenType.rawValue),
            let expiresAt = fields.text(CodingKeys.expiresAt.rawValue),
            let expiresIn = fields.number(CodingKeys.expiresIn.rawValue),
            let environment = fields.text(CodingKeys.environment.rawValue),
            let apiURL = fields.text(CodingKeys.apiURL.rawValue)
        else { return nil }
        self.init(
            user: user,
            accessToken: accessToken,
            tokenType: tokenType,
            expiresAt: expiresAt,
            expiresIn: expiresIn,
            environment: environment,
            apiURL: apiURL
        )
    }
}
