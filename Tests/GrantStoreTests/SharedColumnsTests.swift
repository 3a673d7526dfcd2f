// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

@testable import GrantStore

/// Shared secrets follow the keys of the tokens' columns.
@Suite struct SharedColumnsTests {
    private func keys(_ text: String) throws -> JWEColumns {
        let key = String(repeating: text, count: 42) + "A"
        return JWEColumns(try JWEKeySet(Array(#"{"keys":[{"kty":"oct","kid":"\#(text)","k":"\#(key)"}]}"#.utf8)))
    }

    @Test func theKeysInForceSealAndOpen() throws {
        let columns = TokenColumns(try keys("A"), in: .sandbox)
        let stored = try columns.shared.stored(Secret("secret"), ofClient: "default")
        #expect(try columns.shared.opened(stored, ofClient: "default") == Secret("secret"))
        columns.use(try keys("B"))
        #expect(throws: SharedSecretFailure.self) { try columns.shared.opened(stored, ofClient: "default") }
        #expect(throws: SharedSecretFailure.noSealingKey) {
            try TokenColumns.asTheyStand.shared.stored(Secret("secret"), ofClient: "default")
        }
    }
}
