// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

/// What daemons share in their schema is sealed with the keys of the columns, or not stored.
@Suite struct SharedSecretsTests {
    private let secret = Secret("client-secret")

    private func shared(_ sealing: (any ColumnSealing)?, in environment: TradeEnvironment = .sandbox) -> SharedSecrets {
        SharedSecrets(sealing, in: environment)
    }

    private func rails() throws -> RailsColumns {
        RailsColumns(try RailsKeys(RailsSettings(primaryKeys: [Secret("password")], keyDerivationSalt: Secret("salt"))))
    }

    @Test func whatIsStoredOpensAgainInBothModes() throws {
        for sealing in [try JWEColumns.fixture(), try rails()] as [any ColumnSealing] {
            let shared = shared(sealing)
            let client = try shared.stored(secret, ofClient: "default")
            #expect(!client.contains("client-secret"))
            #expect(try shared.opened(client, ofClient: "default") == secret)
            #expect(try shared.key(of: client, ofClient: "default").sealsNow)
        }
    }

    @Test func withoutAKeyNothingIsStoredAndNothingOpened() {
        for shared in [shared(ClearColumns()), shared(nil)] {
            #expect(throws: SharedSecretFailure.noSealingKey) { try shared.stored(secret, ofClient: "default") }
            #expect(throws: SharedSecretFailure.noSealingKey) { try shared.opened("x", ofClient: "default") }
        }
        #expect(SharedSecretFailure.noSealingKey.description.contains("tastytokend keygen"))
    }

    @Test func oneThatWasMovedDoesNotOpen() throws {
        let keys = try JWEColumns.fixture()
        let shared = shared(keys)
        let stored = try shared.stored(secret, ofClient: "one")
        #expect(throws: SharedSecretFailure.unreadable(.otherPlace(.row))) {
            try shared.opened(stored, ofClient: "other")
        }
        #expect(throws: SharedSecretFailure.unreadable(.otherPlace(.column))) {
            try shared.opened(
                keys.seal(secret, at: ColumnPlace(.refreshToken, of: UserID("one"), in: .sandbox)),
                ofClient: "one"
            )
        }
        #expect(throws: SharedSecretFailure.unreadable(.otherPlace(.environment))) {
            try self.shared(keys, in: .production).opened(stored, ofClient: "one")
        }
    }

    @Test func whatSomebodyPutThereInClearIsNotTaken() throws {
        #expect(throws: SharedSecretFailure.inClear) {
            try shared(try JWEColumns.fixture()).opened("planted", ofClient: "default")
        }
    }

    @Test func oneThatIsTooLongIsNotStored() throws {
        let long = Secret(String(repeating: "x", count: SealingFailure.secretLimit + 1))
        #expect(throws: SharedSecretFailure.notSealed(.tooLong)) {
            try shared(try JWEColumns.fixture()).stored(long, ofClient: "default")
        }
    }
}
