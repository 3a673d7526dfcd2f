// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

/// Which grants are revoked, which refresh tokens were exchanged for new ones, which access tokens died before their time,
/// and which refresh tokens were seen to be ours.
struct GrantLedger {
    /// What a refresh token that was presented is worth.
    enum Standing: Hashable {
        /// It is good.
        case good
        /// It was exchanged before, a moment ago, and is still good.
        case spared
        /// It was exchanged before; its grant is dead from now on.
        case killed
        /// Its grant is dead.
        case revoked
    }

    /// Up to where a grant's refresh tokens were exchanged.
    private struct Exchange {
        /// The generation of the last token that was exchanged.
        let generation: UInt64
        /// When that was first done.
        let at: SimulatorInstant
    }

    /// Stands for a refresh token in the set of those whose signature was checked.
    typealias Fingerprint = SIMD2<UInt64>

    private struct Revocation {
        let at: SimulatorInstant
        /// Grants made afterwards, but within the second to which `iat` is rounded.
        var spared: Set<String> = []

        func strikes(_ grant: TokenMint.GrantClaims) -> Bool {
            grant.iat <= at.seconds && !spared.contains(grant.grant_id)
        }
    }

    /// A million accounts fit; then the signatures are checked anew.
    private static let maximumVerified = 1 << 21

    private var revokedGrants: Set<String> = []
    private var revokedUsers: [String: Revocation] = [:]
    private var revokedClients: [String: Revocation] = [:]
    private var exchanges: [String: Exchange] = [:]
    private var firstLiving: [String: UInt64] = [:]
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

    /// Notes a grant that was made here, with its user and its client's id.
    mutating func made(grantID: String, for user: String, client: String) {
        revokedUsers[user]?.spared.insert(grantID)
        revokedClients[client]?.spared.insert(grantID)
    }

    /// Notes that the code was used again which a grant was made for; its grant is dead from then on.
    mutating func presentUsedCode(of grant: TokenMint.GrantClaims) -> Standing {
        if isRevoked(grant) { return .revoked }
        revoke(grantID: grant.grant_id)
        return .killed
    }

    /// Revokes one grant.
    mutating func revoke(grantID: String) {
        revokedGrants.insert(grantID)
    }

    /// Revokes every grant that the user has now; one made later is good.
    mutating func revokeAll(of user: String, at now: SimulatorInstant) {
        revokedUsers[user] = Revocation(at: now)
    }

    /// Revokes every grant that a client has now; one made later is good.
    mutating func revokeAll(ofClient id: String, at now: SimulatorInstant) {
        revokedClients[id] = Revocation(at: now)
    }

    /// Takes back what ``revokeAll(of:at:)`` did.
    mutating func restoreAll(of user: String) {
        revokedUsers[user] = nil
    }

    /// Whether the grant is revoked.
    func isRevoked(_ grant: TokenMint.GrantClaims) -> Bool {
        revokedGrants.contains(grant.grant_id) || revokedUsers[grant.sub]?.strikes(grant) == true
            || revokedClients[grant.aud]?.strikes(grant) == true
    }

    /// Whether the user's grants were revoked as a whole.
    func isRevoked(user: String) -> Bool { revokedUsers[user] != nil }
}

extension GrantLedger {
    /// What a refresh token is worth now; to present one that was exchanged, and is not spared by `grace`, kills its grant.
    mutating func present(_ grant: TokenMint.GrantClaims, grace: Duration, at now: SimulatorInstant) -> Standing {
        if isRevoked(grant) { return .revoked }
        let generation = grant.gen ?? 0
        guard let exchange = exchanges[grant.grant_id], generation <= exchange.generation else { return .good }
        if generation == exchange.generation, now < exchange.at + grace { return .spared }
        revoke(grantID: grant.grant_id)
        return .killed
    }

    /// Whether a refresh token is good, and was not exchanged.
    func isGood(_ grant: TokenMint.GrantClaims) -> Bool {
        !isRevoked(grant) && exchanges[grant.grant_id].map { $0.generation < grant.gen ?? 0 } ?? true
    }

    /// Notes that a refresh token was exchanged for a new one: it, and all before it, were good for the last time.
    mutating func exchange(_ grant: TokenMint.GrantClaims, at now: SimulatorInstant) {
        let generation = grant.gen ?? 0
        if let last = exchanges[grant.grant_id], generation <= last.generation { return }
        exchanges[grant.grant_id] = Exchange(generation: generation, at: now)
    }

    /// Kills the user's access tokens whose serial number is lower.
    mutating func killAccess(of user: String, before serial: UInt64) {
        firstLiving[user] = serial
    }

    /// Whether an access token was killed before its time.
    func isKilled(_ token: TokenMint.AccessClaims) -> Bool {
        guard let first = firstLiving[token.sub] else { return false }
        return (TokenSerial.serial(of: token.jti) ?? 0) < first
    }
}
