// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenCipher

/// Keys, passwords and secrets are in no text that Swift makes of what has to do with them.
@Suite struct SealingSecrecyTests {
    private static let secret = "planted-token-0123456789"
    private static let password = "planted-password-0123456789"
    private static let salt = "planted-salt-0123456789"
    private static let keyBytes = Array("planted-key-0123456789-abcdefghi".utf8)

    /// Every way of making text of a value.
    private func texts(of value: Any) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        return [String(describing: value), String(reflecting: value), "\(value)", dumped].joined(separator: "\n")
    }

    private func expectNothing(of planted: [String], in value: Any, _ location: SourceLocation = #_sourceLocation) {
        let text = texts(of: value)
        for planted in planted {
            let shows =
                text.contains(planted) || text.contains(KeySetText.base64URL(Array(planted.utf8)))
                || text.contains(Array(planted.utf8).map(String.init).joined(separator: ", "))
            #expect(!shows, "\(type(of: value)) shows a planted value", sourceLocation: location)
        }
    }

    @Test func nothingOfRailsKeysShows() throws {
        let settings = RailsSettings(
            primaryKeys: [Secret(Self.password)],
            deterministicKey: Secret(Self.password + "d"),
            keyDerivationSalt: Secret(Self.salt)
        )
        let keys = try RailsKeys(settings)
        let columns = RailsColumns(keys)
        let stored = try columns.seal(Secret(Self.secret), at: .accessToken)
        let planted = [Self.password, Self.salt, Self.secret]
        expectNothing(of: planted, in: settings)
        expectNothing(of: planted, in: keys)
        expectNothing(of: planted, in: columns)
        expectNothing(of: planted + [stored], in: columns.open(stored, at: .accessToken))
        expectNothing(of: planted + [stored], in: columns.open(stored + "x", at: .accessToken))
    }

    @Test func nothingOfASetOfKeysShows() throws {
        let key = String(decoding: Self.keyBytes, as: UTF8.self)
        let text = #"{"keys":[{"kty":"oct","kid":"a","k":"\#(KeySetText.base64URL(Self.keyBytes))"}]}"#
        let set = try JWEKeySet(Array(text.utf8))
        let columns = JWEColumns(set)
        let stored = try columns.seal(Secret(Self.secret), at: .accessToken)
        expectNothing(of: [key, Self.secret], in: set)
        expectNothing(of: [key, Self.secret], in: columns)
        expectNothing(of: [key, Self.secret, stored], in: columns.open(stored, at: .accessToken))
        expectNothing(of: [key, Self.secret, stored], in: columns.open(stored + "x", at: .accessToken))
        expectNothing(of: [Self.secret], in: columns.open(Self.secret, at: .accessToken))
    }

    /// A secret that stands where an id belongs is struck out, as in all that strangers write.
    @Test func aTokenInPlaceOfAKeyIdDoesNotShow() throws {
        let token = "eyJhbGciOiJFZERTQSJ9abcDEF0123456789eyJzdWIiOiI0MiJ9"
        let header = #"{"alg":"dir","enc":"A256GCM","kid":"\#(token)"}"#
        let stored =
            "\(KeySetText.base64URL(Array(header.utf8)))..\(KeySetText.key(0, count: 12)).AA.\(KeySetText.key(0, count: 16))"
        let opened = try JWEColumns.fixture().open(stored, at: .accessToken)
        guard case .unreadable(.unknownKey) = opened else { return #expect(Bool(false), "it opened") }
        expectNothing(of: [token], in: opened)
    }

    @Test func noFaultOfASetQuotesIt() {
        let key = KeySetText.base64URL(Self.keyBytes)
        for text in [
            #"{"keys":[{"kty":"\#(key)"}]}"#, #"{"keys":[{"kty":"oct","kid":"\#(key)\#(key)","k":""}]}"#,
            #"{"keys":[{"kty":"oct","kid":"a","k":"\#(key)AAAA"}]}"#,
            #"{"keys":[{"kty":"oct","kid":"a","k":"\#(key)+"}]}"#,
            #"{"\#(key)":1,"\#(key)":1}"#, #"{"keys":[{"kty":"oct","kid":"a","use":"\#(key)","k":"\#(key)"}]}"#,
        ] {
            do {
                _ = try JWEKeySet(Array(text.utf8))
                Issue.record("the set was taken")
            } catch {
                #expect(!texts(of: error).contains(key))
            }
        }
    }
}
