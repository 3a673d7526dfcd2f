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
        ledger.made(grantID: "2", for: "42", client: "a")
        #expect(!ledger.isRevoked(grant("2")), "made here, within the same second")
        #expect(!ledger.isRevoked(grant("3", iat: 1_767_225_601)), "made elsewhere, a second later")
    }

    @Test func aClientsGrantsAreRevokedAndOneMadeAfterwardsIsGood() {
        var ledger = GrantLedger()
        ledger.revokeAll(ofClient: "a", at: now)
        ledger.revokeAll(ofClient: "b", at: now + .seconds(-1))
        ledger.made(grantID: "2", for: "42", client: "a")
        #expect(ledger.isRevoked(grant("1")))
        #expect(!ledger.isRevoked(user: "42"))
        #expect(!ledger.isRevoked(grant("2")))
        #expect(!ledger.isRevoked(grant("3", iat: 1_767_225_601)))
        ledger.revokeAll(ofClient: "a", at: now)
        #expect(ledger.isRevoked(grant("2")), "the next time it is among those there are")
    }

    @Test func aCodeUsedAgainKillsItsGrantOnce() {
        var ledger = GrantLedger()
        #expect(ledger.presentUsedCode(of: grant("1")) == .killed)
        #expect(ledger.presentUsedCode(of: grant("1")) == .revoked)
        #expect(!ledger.isGood(grant("1")))
        #expect(ledger.isGood(grant("2")))
    }

    @Test func fingerprintsTellTokensApart() {
        var ledger = GrantLedger()
        let fingerprint = GrantLedger.fingerprint(of: "a")
        #expect(!ledger.isVerified(fingerprint))
        ledger.markVerified(fingerprint)
        #expect(ledger.isVerified(GrantLedger.fingerprint(of: "a")))
        #expect(!ledger.isVerified(GrantLedger.fingerprint(of: "b")))
    }

    private func generation(_ number: UInt64) -> TokenMint.GrantClaims {
        var claims = grant("1")
        claims.gen = number
        return claims
    }

    @Test func aRefreshTokenIsGoodUntilItIsExchanged() {
        var ledger = GrantLedger()
        #expect(ledger.present(grant("1"), grace: .zero, at: now) == .good)
        #expect(ledger.isGood(grant("1")))
        ledger.exchange(grant("1"), at: now)
        #expect(!ledger.isGood(grant("1")))
        #expect(ledger.present(generation(5), grace: .zero, at: now) == .good)
        #expect(ledger.present(grant("1"), grace: .zero, at: now) == .killed)
        #expect(ledger.present(grant("1"), grace: .zero, at: now) == .revoked)
        #expect(ledger.present(generation(5), grace: .zero, at: now) == .revoked)
        #expect(ledger.present(grant("2"), grace: .zero, at: now) == .good)
    }

    @Test func graceCountsFromTheFirstExchange() {
        var ledger = GrantLedger()
        ledger.exchange(generation(5), at: now)
        ledger.exchange(generation(5), at: now + .seconds(9))
        #expect(ledger.present(generation(5), grace: .seconds(10), at: now + .milliseconds(9999)) == .spared)
        #expect(ledger.present(generation(4), grace: .seconds(10), at: now) == .killed, "two exchanges old")
    }

    @Test func accessTokensDieBySerialNumber() {
        func token(_ serial: UInt64, user: String = "42") -> TokenMint.AccessClaims {
            let id = TokenSerial.id(drawn: .max, serial: serial)
            return TokenMint.AccessClaims(iss: "i", sub: user, iat: 0, exp: 0, exp_ns: 0, jti: id, scope: "s")
        }
        var ledger = GrantLedger()
        ledger.killAccess(of: "42", before: 7)
        #expect(ledger.isKilled(token(6)))
        #expect(!ledger.isKilled(token(7)))
        #expect(!ledger.isKilled(token(6, user: "43")))
    }
}
