// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import FoundationEssentials

/// Makes and recognises the tokens: compact JWS signed with EdDSA, shaped like the real ones (fact sheet section 5).
///
/// Everything that must be known of a token stands in it, under the signature. So a million grants need no register, and
/// a simulator that was started again with the same seed knows its tokens.
struct TokenMint: Sendable {
    /// What a refresh token says.
    struct GrantClaims: Codable, Hashable, Sendable {
        /// Who made it.
        let iss: String
        /// Whose grant it is.
        let sub: String
        /// When it was made, in seconds since 1970.
        let iat: Int64
        /// The id of the client that it was made for.
        let aud: String
        /// Tells the grants of one user apart.
        let grant_id: String
        /// What it allows.
        let scope: String
        /// Tells the refresh tokens of a grant that rotates apart; later ones have greater numbers, the first has none.
        var gen: UInt64?
    }

    /// What an access token says.
    struct AccessClaims: Codable, Hashable, Sendable {
        /// Who made it.
        let iss: String
        /// Whose it is.
        let sub: String
        /// When it was made, in seconds since 1970.
        let iat: Int64
        /// When it dies, in seconds since 1970, rounded down.
        let exp: Int64
        /// The same end to the nanosecond: tests use lives of two seconds, of which `exp` could cut one.
        let exp_ns: Int64
        /// Differs from token to token.
        let jti: String
        /// What it allows.
        let scope: String

        /// When the token dies.
        var expiresAt: SimulatorInstant { SimulatorInstant(nanoseconds: exp_ns) }
    }

    /// A grant to make.
    struct NewGrant: Sendable {
        /// Whose it is.
        let user: String
        /// The client that it is for.
        let clientID: String
        /// Tells the grants of one user apart.
        let id: String
        /// What it allows.
        let scope: String
    }

    private struct IdentityClaims: Encodable {
        let iss: String
        let sub: String
        let aud: String
        let iat: Int64
        let exp: Int64
    }

    /// Who makes the tokens (`iss`).
    let issuer: String
    private let key: Curve25519.Signing.PrivateKey
    private let grantHeader: String
    private let accessHeader: String
    private let identityHeader: String

    /// The signing key is made from the seed.
    init(keySeed: String, issuer: String) throws {
        let seed = SHA256.hash(data: Array("tastysim signing key: \(keySeed)".utf8))
        self.key = try Curve25519.Signing.PrivateKey(rawRepresentation: Array(seed))
        self.issuer = issuer
        let kid = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.rawRepresentation)))
        func header(_ type: String) -> String {
            let jku = "\(issuer)/oauth/jwks.json"
            return Base64URL.encode(Array(#"{"alg":"EdDSA","typ":"\#(type)","kid":"\#(kid)","jku":"\#(jku)"}"#.utf8))
        }
        self.grantHeader = header("rt+jwt")
        self.accessHeader = header("at+jwt")
        self.identityHeader = header("JWT")
    }

    /// The public key, raw (RFC 8032).
    var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// What the first refresh token of a new grant says; it has no end.
    func claims(of grant: NewGrant, issuedAt: SimulatorInstant) -> GrantClaims {
        GrantClaims(
            iss: issuer,
            sub: grant.user,
            iat: issuedAt.seconds,
            aud: grant.clientID,
            grant_id: grant.id,
            scope: grant.scope
        )
    }

    /// A refresh token that says this.
    func refreshToken(saying claims: GrantClaims) throws -> String {
        try sign(claims, under: grantHeader)
    }

    /// An access token that lives until `expiresAt`; `id` makes it differ from every other.
    func accessToken(
        of grant: GrantClaims,
        id: String,
        issuedAt: SimulatorInstant,
        expiresAt: SimulatorInstant
    ) throws -> String {
        let claims = AccessClaims(
            iss: issuer,
            sub: grant.sub,
            iat: issuedAt.seconds,
            exp: expiresAt.seconds,
            exp_ns: expiresAt.nanoseconds,
            jti: id,
            scope: grant.scope
        )
        return try sign(claims, under: accessHeader)
    }

    /// What OpenID Connect tells the client of who signed in.
    func identityToken(of grant: GrantClaims, issuedAt: SimulatorInstant, expiresAt: SimulatorInstant) throws -> String
    {
        let claims = IdentityClaims(
            iss: issuer,
            sub: grant.sub,
            aud: grant.aud,
            iat: issuedAt.seconds,
            exp: expiresAt.seconds
        )
        return try sign(claims, under: identityHeader)
    }

    /// What a refresh token says; nil if it is none of ours. `isVerified` saves the work where its signature was checked
    /// before.
    func grantClaims(of token: String, isVerified: Bool = false) -> GrantClaims? {
        claims(of: token, under: grantHeader, isVerified: isVerified)
    }

    /// What an access token says; nil if it is none of ours.
    func accessClaims(of token: String) -> AccessClaims? {
        claims(of: token, under: accessHeader, isVerified: false)
    }
}

extension TokenMint {
    private func sign(_ claims: some Encodable, under header: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let message = header + "." + Base64URL.encode(try encoder.encode(claims))
        return message + "." + Base64URL.encode(try key.signature(for: Array(message.utf8)))
    }

    private func claims<Claims: Decodable>(of token: String, under header: String, isVerified: Bool) -> Claims? {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual(header.utf8), let payload = Base64URL.decode(parts[1]) else {
            return nil
        }
        guard isVerified || isSigned(token, parts) else { return nil }
        return try? JSONDecoder().decode(Claims.self, from: Data(payload))
    }

    private func isSigned(_ token: String, _ parts: [Substring.UTF8View]) -> Bool {
        guard let signature = Base64URL.decode(parts[2]) else { return false }
        let message = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
        return key.publicKey.isValidSignature(signature, for: message)
    }
}
