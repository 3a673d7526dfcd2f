// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

/// Which grants are revoked, and which refresh tokens were seen to be ours.
struct GrantLedger {
    /// Stands for a refresh token in the set of those whose signature was checked.
    typealias Fingerprint = SIMD2<UInt64>

    private struct Revocation {
        let at: SimulatorInstant
        /// Grants made afterwards, but within the second to which `iat` is rounded.
        var spared: Set<String> = []
    }

    /// A million accounts fit; then the signatures are checked anew.
    private static let maximumVerified = 1 << 21

    private var revokedGrants: Set<String> = []
    private var revokedUsers: [String: Revocation] = [:]
    private var verified: Set<Fingerprint> = []

    /// The fingerprint of a token.
    static func fingerprint(of token: String) -> Fingerprint {
        SHA256.hash(data: Array(token.utf8)).withUnsafeBytes { $0.loadUnaligned(as: Fingerprint.self) }
    }

    /// Whether the signature of the token was checked before.
    func isVerified(_ fingerprint: Fingerprint) -> Bool { verified.contains(fingerprint) }

    /// Remembers that the signature of the token was checked.
    mutating func markVerified(_ fingerprint: Fingerprint) {
        if verified.count >= Self.maximumVerified { verified.removeAll() }
        verified.insert(fingerprint)
    }

    /// Notes a grant that was made here.
    mutating func made(grantID: String, for user: String) {
        revokedUsers[user]?.spared.insert(grantID)
    }

    /// Revokes one grant.
    mutating func revoke(grantID: String) {
        revokedGrants.insert(grantID)
    }

    /// Revokes every grant that the user has now; one made later is good.
    mutating func revokeAll(of user: String, at now: SimulatorInstant) {
        revokedUsers[user] = Revocation(at: now)
    }

    /// Takes back what ``revokeAll(of:at:)`` did.
    mutating func restoreAll(of user: String) {
        revokedUsers[user] = nil
    }

    /// Whether the grant is revoked.
    func isRevoked(_ grant: TokenMint.GrantClaims) -> Bool {
        if revokedGrants.contains(grant.grant_id) { return true }
        guard let revocation = revokedUsers[grant.sub] else { return false }
        return grant.iat <= revocation.at.seconds && !revocation.spared.contains(grant.grant_id)
    }

    /// Whether the user's grants were revoked as a whole.
    func isRevoked(user: String) -> Bool { revokedUsers[user] != nil }
}
