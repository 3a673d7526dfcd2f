// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct GrantLedgerTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)

    private func grant(_ id: String, user: String = "42", iat: Int64 = 1_767_225_600) -> TokenMint.GrantClaims {
        TokenMint.GrantClaims(iss: "i", sub: user, iat: iat, aud: "a", grant_id: id, scope: "s")
    }

    @Test func oneGrantIsRevokedWithoutTheOthers() {
        var ledger = GrantLedger()
        ledger.revoke(grantID: "1")
        #expect(ledger.isRevoked(grant("1")))
        #expect(!ledger.isRevoked(grant("2")))
    }

    @Test func aUsersGrantsAreRevokedAndMadeGood() {
        var ledger = GrantLedger()
        ledger.revokeAll(of: "42", at: now)
        #expect(ledger.isRevoked(grant("1")))
        #expect(ledger.isRevoked(user: "42"))
        #expect(!ledger.isRevoked(grant("1", user: "43")))
        ledger.restoreAll(of: "42")
        #expect(!ledger.isRevoked(grant("1")))
    }

    @Test func aGrantMadeAfterwardsIsGood() {
        var ledger = GrantLedger()
        ledger.revokeAll(of: "42", at: now)
        ledger.made(grantID: "2", for: "42")
        #expect(!ledger.isRevoked(grant("2")), "made here, within the same second")
        #expect(!ledger.isRevoked(grant("3", iat: 1_767_225_601)), "made elsewhere, a second later")
    }

    @Test func fingerprintsTellTokensApart() {
        var ledger = GrantLedger()
        let fingerprint = GrantLedger.fingerprint(of: "a")
        #expect(!ledger.isVerified(fingerprint))
        ledger.markVerified(fingerprint)
        #expect(ledger.isVerified(GrantLedger.fingerprint(of: "a")))
        #expect(!ledger.isVerified(GrantLedger.fingerprint(of: "b")))
    }
}
