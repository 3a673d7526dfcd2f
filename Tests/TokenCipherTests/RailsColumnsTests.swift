// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

@Suite struct RailsColumnsTests {
    private let columns: RailsColumns
    private let naming: RailsColumns

    init() throws {
        columns = try #require(RailsColumns.usual)
        naming = try #require(RailsColumns.naming)
    }

    @Test(arguments: [
        "", "a", "rt_S2Bf9M0bv84djqaganqARaTm", "é\u{1F600}\"\\\n", String(repeating: "x", count: 65_536),
    ])
    func whatWasSealedOpensAndDoesNotShow(text: String) throws {
        for columns in [columns, naming] {
            let stored = try columns.seal(Secret(text), at: .accessToken)
            let key = SealingKey(id: "65b8", sealsNow: true)
            #expect(columns.open(stored, at: .accessToken) == .sealed(Secret(text), by: key))
            #expect(text.utf8.count < 4 || !stored.contains(text))
        }
    }

    @Test func theSameSecretIsSealedDifferentlyUnlessItsColumnIsSearched() throws {
        let secret = Secret("refresh-token")
        #expect(try columns.seal(secret, at: .accessToken) != columns.seal(secret, at: .accessToken))
        let stored = try columns.seal(secret, at: .accessToken, .deterministic)
        #expect(try columns.seal(secret, at: .refreshToken, .deterministic) == stored)
        let key = SealingKey(id: "0c2f", sealsNow: true, manner: .deterministic)
        #expect(columns.open(stored, at: .accessToken) == .sealed(secret, by: key))
    }

    @Test func withoutADeterministicKeyNothingIsSealedWithAnother() {
        #expect(throws: SealingFailure.noDeterministicKey) {
            try naming.seal(Secret("x"), at: .accessToken, .deterministic)
        }
    }

    /// The border counts bytes, not characters.
    @Test(arguments: [
        (String(repeating: "a", count: 140), false), (String(repeating: "a", count: 141), true),
        (String(repeating: "é", count: 70), false), (String(repeating: "é", count: 70) + "a", true),
    ])
    func whatIsLongerThan140BytesIsCompressed(text: String, isCompressed: Bool) throws {
        let stored = try columns.seal(Secret(text), at: .accessToken)
        #expect(stored.hasSuffix(#","c":true}}"#) == isCompressed)
        #expect(columns.open(stored, at: .accessToken).secret == Secret(text))
    }

    @Test func isWrittenAsRailsWritesIt() throws {
        let plain = try columns.seal(Secret("x"), at: .accessToken)
        #expect(plain.wholeMatch(of: /\{"p":"[^"]{4}","h":\{"iv":"[^"]{16}","at":"[^"]{24}"\}\}/) != nil)
        let named = try naming.seal(Secret(String(repeating: "x", count: 141)), at: .accessToken)
        let pattern = /\{"p":"[^"]+","h":\{"iv":"[^"]{16}","at":"[^"]{24}","i":"NjViOA==","c":true\}\}/
        #expect(named.wholeMatch(of: pattern) != nil)
    }

    @Test func tooLongASecretIsRefused() {
        let secret = Secret(String(repeating: "x", count: 65_537))
        #expect(throws: SealingFailure.tooLong) { try columns.seal(secret, at: .accessToken) }
    }

    @Test func clearTextIsReadAndWantsSealing() {
        for text in ["", "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl", "opaque-token_~+/="] {
            let opened = columns.open(text, at: .accessToken)
            #expect(opened == .clear(Secret(text)))
            #expect(columns.wantsSealing(opened))
        }
    }

    @Test func aJWEIsNotOpenedAndNotTakenForClearText() throws {
        let stored = try JWEColumns.fixture().seal(Secret("x"), at: .accessToken)
        #expect(columns.open(stored, at: .accessToken).fault == .otherFormat(.jwe))
    }
}
