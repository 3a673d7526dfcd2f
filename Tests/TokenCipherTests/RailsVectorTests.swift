// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

/// What Active Record itself stored.
@Suite struct RailsVectorTests {
    @Test func thereAreTenOfThem() {
        #expect(RailsVector.all.map(\.number) == Array(1...10))
    }

    @Test(arguments: RailsVector.all) func opens(vector: RailsVector) throws {
        let opened = try vector.columns().open(vector.stored, at: .refreshToken)
        let key = SealingKey(id: vector.keyID, sealsNow: true, manner: vector.manner)
        #expect(opened == .sealed(Secret(vector.plaintext), by: key))
    }

    @Test(arguments: RailsVector.all.filter(\.deterministic))
    func deterministicOnesComeOutTheSame(vector: RailsVector) throws {
        let stored = try vector.columns().seal(Secret(vector.plaintext), at: .refreshToken, .deterministic)
        #expect(stored == vector.stored)
    }

    /// All in one application, which has both keys: what an older key or the other digest sealed opens, and wants sealing.
    @Test(arguments: RailsVector.all) func opensWithAllKeysOfAList(vector: RailsVector) throws {
        let columns = try #require(RailsColumns.usual)
        let opened = columns.open(vector.stored, at: .refreshToken)
        let isOld = vector.digest == "sha1" || vector.primaryKeys.last == RailsVector.passwordB
        #expect(opened.secret == Secret(vector.plaintext))
        #expect(columns.wantsSealing(opened) == isOld)
    }
}
