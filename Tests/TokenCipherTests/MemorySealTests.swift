// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

@Suite struct MemorySealTests {
    @Test func whatWasClosedOpensAgainAndDoesNotShow() throws {
        let seal = MemorySeal.aes()
        for text in ["", "refresh-token", String(repeating: "é", count: 5000)] {
            let closed = try #require(seal.close(Secret(text)))
            #expect(seal.open(closed) == Secret(text))
            #expect(text.isEmpty || !closed.contains(Array(text.utf8)))
        }
    }

    @Test func equalSecretsCloseDifferently() {
        let seal = MemorySeal.aes()
        #expect(seal.close(Secret("x")) != seal.close(Secret("x")))
    }

    @Test func whatWasDamagedOrClosedByAnotherDoesNotOpen() throws {
        let seal = MemorySeal.aes()
        var closed = try #require(seal.close(Secret("refresh-token")))
        #expect(MemorySeal.aes().open(closed) == nil)
        closed[closed.count - 1] ^= 1
        #expect(seal.open(closed) == nil)
        #expect(seal.open([]) == nil)
    }
}
