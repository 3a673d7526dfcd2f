// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing
import TokenCipher
import TokenCore

@Suite struct KeyGeneratorTests {
    /// Gives 1, 2, 3, … so many times.
    private func generator(from first: UInt8 = 1) -> KeyGenerator {
        var next = first
        return KeyGenerator { count in
            defer { next += 1 }
            return [UInt8](repeating: next, count: count)
        }
    }

    @Test func makesASetOfOneKey() throws {
        let (set, id) = try generator().addKey()
        #expect(id == KeySetText.key(1, count: 9))
        #expect(try JWEKeySet(set).ids == [id])
        let expected = #"{"kty":"oct","use":"enc","kid":"\#(id)","k":"\#(KeySetText.key(2))"}"#
        #expect(String(decoding: set, as: UTF8.self) == "{\"keys\":[\n\(expected)\n]}\n")
    }

    @Test func theNewKeySealsAndTheOthersGoOnOpening() throws {
        let generator = generator()
        let (before, old) = try generator.addKey()
        let stored = try JWEColumns(JWEKeySet(before)).seal(Secret("token"), at: .accessToken)
        let (after, new) = try generator.addKey(to: before)
        let columns = JWEColumns(try JWEKeySet(after))
        #expect(try JWEKeySet(after).ids == [new, old])
        #expect(columns.sealingKeyID == new)
        #expect(
            columns.open(stored, at: .accessToken) == .sealed(Secret("token"), by: SealingKey(id: old, sealsNow: false))
        )
    }

    @Test func allElseStaysAsItStands() throws {
        let before = " {\"note\" : \"é\", \"keys\" : [ \(KeySetText.member("a", 9)) ] , \"x\":1.0}\n"
        let after = String(decoding: try generator().addKey(to: Array(before.utf8)).set, as: UTF8.self)
        let parts = before.split(separator: "[", maxSplits: 1)
        #expect(after.hasPrefix(parts[0] + "[") && after.hasSuffix(parts[1]))
    }

    @Test func anEmptyListIsFilled() throws {
        let (set, id) = try generator().addKey(to: Array(#"{"keys":[]}"#.utf8))
        #expect(try JWEKeySet(set).ids == [id])
    }

    @Test func aSetWithAFaultGetsNoKey() {
        #expect(throws: KeySetFault.notJSON) { try generator().addKey(to: Array("{".utf8)) }
        #expect(throws: KeySetFault.noList) { try generator().addKey(to: Array("{}".utf8)) }
        // Counted as it would stand then, behind the new one.
        #expect(throws: KeySetFault.key(2, .notAnObject)) { try generator().addKey(to: Array(#"{"keys":[1]}"#.utf8)) }
    }

    @Test func chanceThatRepeatsItselfIsNoticed() throws {
        let (set, _) = try generator().addKey()
        #expect(throws: KeySetFault.key(2, .sameIdentifier(as: 1))) { try generator().addKey(to: set) }
    }

    @Test func tooFewRandomBytesAreNoticed() {
        #expect(throws: KeySetFault.key(1, .length(16))) {
            try KeyGenerator { [UInt8](repeating: 7, count: min($0, 16)) }.addKey()
        }
    }
}
