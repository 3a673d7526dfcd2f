// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import FoundationEssentials
import Testing

@testable import TokenSimulator

@Suite struct TokenMintTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)

    private func mint(seed: String = "a") throws -> TokenMint {
        try TokenMint(keySeed: seed, issuer: "https://api.tastytrade.com")
    }

    private func refreshToken(_ mint: TokenMint, user: String = "42", id: String = "g") throws -> String {
        let client = SimulatedClient()
        let grant = TokenMint.NewGrant(user: user, clientID: client.id, id: id, scope: client.scope)
        return try mint.refreshToken(saying: mint.claims(of: grant, issuedAt: now))
    }

    private func grant(_ mint: TokenMint, user: String = "42") throws -> TokenMint.GrantClaims {
        try #require(mint.grantClaims(of: try refreshToken(mint, user: user)))
    }

    private func parts(_ token: String) throws -> (header: [String: JSON], claims: [String: JSON]) {
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        func object(_ part: Substring) throws -> [String: JSON] {
            try JSONDecoder().decode([String: JSON].self, from: Data(try #require(Base64URL.decode(part.utf8))))
        }
        return (try object(parts[0]), try object(parts[1]))
    }

    @Test func theSignatureIsGoodByThePublicKey() throws {
        let mint = try mint()
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: mint.publicKey)
        let refresh = try refreshToken(mint)
        let access = try mint.accessToken(of: try grant(mint), id: "i", issuedAt: now, expiresAt: now + .seconds(2))
        for token in [refresh, access] {
            let end = try #require(token.lastIndex(of: "."))
            let signature = try #require(Base64URL.decode(token[token.index(after: end)...].utf8))
            #expect(key.isValidSignature(signature, for: Array(token[..<end].utf8)))
        }
    }

    @Test func refreshTokensAreShapedLikeTheRealOnes() throws {
        let user = "U0000000-0000-4000-8000-000000000042"
        let token = try refreshToken(mint(), user: user, id: "grant-1")
        let (header, claims) = try parts(token)
        #expect(header["alg"] == "EdDSA")
        #expect(header["typ"] == "rt+jwt")
        #expect(Set(header.keys) == ["alg", "typ", "kid", "jku"])
        #expect(Set(claims.keys) == ["iss", "sub", "iat", "aud", "grant_id", "scope"])
        #expect(claims["iss"] == "https://api.tastytrade.com")
        #expect(claims["sub"] == .text(user))
        #expect(claims["aud"] == .text(SimulatedClient().id))
        #expect(claims["scope"] == "read trade openid")
        #expect(claims["iat"] == 1_767_225_600)
        #expect((500...600).contains(token.utf8.count))
    }

    @Test func accessTokensSayWhenTheyDie() throws {
        let mint = try mint()
        let end = now + .milliseconds(2500)
        let token = try mint.accessToken(of: try grant(mint), id: "id-1", issuedAt: now, expiresAt: end)
        let (header, claims) = try parts(token)
        #expect(header["typ"] == "at+jwt")
        #expect(claims["sub"] == "42")
        #expect(claims["jti"] == "id-1")
        #expect(claims["exp"] == 1_767_225_602)
        #expect(mint.accessClaims(of: token)?.expiresAt == end)
    }

    @Test func aMintWithTheSameSeedKnowsTheTokens() throws {
        let token = try refreshToken(mint())
        #expect(try mint().grantClaims(of: token)?.sub == "42")
        #expect(try mint(seed: "b").grantClaims(of: token) == nil)
    }

    @Test func oneKindOfTokenIsNotTheOther() throws {
        let mint = try mint()
        let refresh = try refreshToken(mint)
        let access = try mint.accessToken(of: try grant(mint), id: "i", issuedAt: now, expiresAt: now)
        #expect(mint.accessClaims(of: refresh) == nil)
        #expect(mint.grantClaims(of: access) == nil)
    }

    @Test func aTokenThatWasTouchedIsNone() throws {
        let mint = try mint()
        let token = try refreshToken(mint)
        let claims = #"{"iss":"x","sub":"1","iat":1,"aud":"x","grant_id":"g","scope":"s"}"#
        let parts = token.split(separator: ".")
        let forged = "\(parts[0]).\(Base64URL.encode(Array(claims.utf8))).\(parts[2])"
        let cases = [
            forged, String(token.dropLast()), token + "A", token + ".", "\(parts[0]).\(parts[1])", "", "a.b.c",
        ]
        for touched in cases { #expect(mint.grantClaims(of: touched) == nil) }
    }
}
