// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenCipher

@Suite struct LocalSealTests {
    private func key(_ byte: UInt8 = 1) -> LockedBytes {
        LockedBytes(count: 32) { room in for index in room.indices { room[index] = byte } }
    }

    private func seal(_ purpose: String = "reply-journal", _ byte: UInt8 = 1) -> LocalSeal {
        LocalSeal(key(byte), purpose: purpose)
    }

    @Test(arguments: [0, 1, 500, 100_000]) func whatWasSealedOpensAgain(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = try #require(seal().seal(bytes, at: [7]))
        #expect(sealed.count == 1 + 12 + count + 16)
        #expect(sealed.first == 1, "the form's number")
        #expect(try seal().open(sealed, at: [7]) == bytes)
    }

    @Test func theSameIsSealedAnotherWayEachTime() {
        #expect(seal().seal([1, 2, 3]) != seal().seal([1, 2, 3]))
    }

    @Test func anotherKeyPurposeOrPlaceDoesNotOpenIt() throws {
        let sealed = try #require(seal().seal([1, 2, 3], at: [7]))
        for (other, place) in [(seal("reply-journal", 2), [7]), (seal("events"), [7]), (seal(), [8]), (seal(), [])]
            as [(LocalSeal, [UInt8])]
        {
            #expect(throws: LocalSealFault.notAuthentic) { try other.open(sealed, at: place) }
        }
    }

    @Test func purposeAndPlaceCannotBeShiftedIntoOneAnother() throws {
        let sealed = try #require(seal("a").seal([1], at: Array("b".utf8)))
        #expect(throws: LocalSealFault.notAuthentic) { try seal("ab").open(sealed) }
        #expect(throws: LocalSealFault.notAuthentic) { try seal("").open(sealed, at: Array("a\0b".utf8)) }
    }

    @Test func everyChangeOfAByteIsNoticed() throws {
        let sealed = try #require(seal().seal([1, 2, 3]))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 4
            let fault: LocalSealFault = index == 0 ? .unknownForm(5) : .notAuthentic
            #expect(throws: fault) { try seal().open(changed) }
        }
        for length in sealed.indices {
            #expect(throws: LocalSealFault.notAuthentic) { try seal().open(Array(sealed.prefix(length))) }
        }
    }
}
