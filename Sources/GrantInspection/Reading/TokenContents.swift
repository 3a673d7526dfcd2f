// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What a token says of itself, read without any proof: for diagnosis only. Nothing that matters may rest on it, since
/// anybody can write such a token; to all decisions tokens are opaque (fact sheet section 5). Its texts are as they came:
/// whoever shows them bounds and escapes them (`SafeText`).
package struct TokenContents: Hashable, Sendable {
    /// What kind of token the header says that it is.
    package enum Kind: Hashable, Sendable {
        /// `rt+jwt`: a refresh token.
        case refresh
        /// `at+jwt`: an access token (RFC 9068).
        case access
        /// The claims are those that only an identity token has (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
        case identity
        /// Something else, or nothing is said.
        case other
    }

    /// `typ` of the header.
    package let type: String?
    /// `alg` of the header.
    package let algorithm: String?
    /// `iss`: who made it.
    package let issuer: String?
    /// `sub`: whose it is. Of people, so it is shown to nobody.
    package let subject: Secret?
    /// `aud`: for which clients.
    package let audience: [String]
    /// `grant_id`, by which TastyTrade tells grants apart; shown to nobody.
    package let grantID: Secret?
    /// `scope`: what it allows; nil if it does not say.
    package let scopes: [String]?
    /// `iat`: when it was made.
    package let issuedAt: WallTime?
    /// `exp`: when it ends; TastyTrade's refresh tokens have none.
    package let expiresAt: WallTime?
    /// What kind of token it is.
    package let kind: Kind

    /// What a token says of itself.
    ///
    /// - Parameter token: the token; one that is longer than any is not looked into.
    package init?(of token: Secret) {
        guard token.reveal().utf8.count <= PastedGrant.tokenLimit, let contents = TokenReading(token).contents else {
            return nil
        }
        self = contents
    }

    /// Takes what is known from header and claims.
    init(header: JSONFields, claims: JSONFields) {
        type = header.text("typ")
        algorithm = header.text("alg")
        issuer = claims.text("iss")
        subject = claims.text("sub").map(Secret.init)
        audience = claims.texts("aud")
        grantID = claims.text("grant_id").map(Secret.init)
        scopes = claims.has("scope") ? Self.words(claims.texts("scope")) : nil
        issuedAt = claims.instant("iat")
        expiresAt = claims.instant("exp")
        kind = Self.kind(type, claims)
    }

    /// Separated by spaces (RFC 6749, section 3.3), or a list, as some providers have it.
    private static func words(_ texts: [String]) -> [String] {
        texts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }

    private static func kind(_ type: String?, _ claims: JSONFields) -> Kind {
        let type = mediaType(type)
        if type.hasPrefix("rt+") { return .refresh }
        if type.hasPrefix("at+") { return .access }
        let isIdentity = ["at_hash", "c_hash", "nonce", "auth_time"].contains(where: claims.has)
        return isIdentity && !claims.has("grant_id") ? .identity : .other
    }

    /// A media type, of which `application/` may be left out (RFC 7515, section 4.1.9).
    private static func mediaType(_ type: String?) -> String {
        let type = type?.lowercased() ?? ""
        let prefix = "application/"
        return type.hasPrefix(prefix) ? String(type.dropFirst(prefix.count)) : type
    }
}
