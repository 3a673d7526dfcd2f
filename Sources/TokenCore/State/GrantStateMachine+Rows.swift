// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What a row says about a grant, and what comes of it.

extension GrantStateMachine {
    /// How the grant stands by what the row holds and what was remembered of that very grant.
    static func standing(of row: GrantRow, ignoringMemory: Bool = false) -> Standing {
        switch row.grant {
        case .none:
            return .noGrant
        case .unreadable(_, let reason):
            return .unreadable(reason)
        case .present(let version):
            guard !ignoringMemory, let memory = row.memory, memory.grantVersion == version else { return .good }
            return switch memory.status {
            case .reauthorizationRequired: .refused(probes: 0)
            case .unknownOutcome: .unknownOutcome
            case .active, .refreshing, .degraded, .expired, .unreadable, .noGrant: .good
            }
        }
    }

    /// No token is believed to live longer than a day, whatever a row says of it (fact sheet section 6, sanity limits).
    private static let longestLife: Duration = .seconds(86_400)

    /// The life of the row's access token. Its beginning is supposed: nobody stored it.
    static func life(of row: GrantRow, _ now: Moment) -> TokenLife? {
        guard row.accessToken != nil, let expiresAt = row.expiresAt else { return nil }
        // A token of ours has no more than its own life left, even if it was stored while a clock ran ahead.
        let known = row.memory?.lifetime
        // Neither the writer's wall clock nor this one's counts where the database's does.
        let remaining = row.memory?.tokenEndsAt.map { $0 - now.boot } ?? expiresAt - now.wall
        let deadline = now + min(remaining, known ?? longestLife)
        let supposed = max(RefreshPolicy.supposedLifetime, deadline.remaining(at: now))
        return TokenLife(expiresAt: deadline, lifetime: known ?? supposed)
    }
}

extension GrantRow.Grant {
    /// The stored text's version; zero where there is none.
    package var version: Int64 {
        switch self {
        case .none: 0
        case .present(let version), .unreadable(let version, _): version
        }
    }
}

extension GrantStateMachine {
    /// The row is as the argument has it: changed by the application, by a person, or by another daemon.
    package mutating func rowChanged(_ row: GrantRow, _ occasion: Occasion) -> Step {
        if isSealedAnew(row) {
            // What is in flight or being stored names the version that it began with, and is told of the new one by the write.
            guard !isInHand else { return Step(.keep, .none) }
            grantVersion = row.grant.version
        }
        if let version = versionStored(in: row) { return stored(grantVersion: version, occasion) }
        guard row.grant.version == grantVersion, Self.standing(of: row, ignoringMemory: true) == rowStanding else {
            return replaced(by: row, occasion)
        }
        guard let token = row.accessToken, life == nil || token.fingerprint != tokenFingerprint,
            let found = Self.life(of: row, occasion.now),
            found.expiresAt.wall > (life?.expiresAt.wall ?? WallTime(nanoseconds: .min))
        else {
            // Our own write came back, somebody emptied the copy of a token that we still hold, or its row would have it
            // live longer: no token gains life. What another daemon found out about the grant counts all the same.
            return refusedElsewhere(row.memory, occasion) ?? .nothing
        }
        life = found
        tokenFingerprint = token.fingerprint
        noteRefresh(row.memory?.lastRefreshedAt)
        return adopted(found, occasion)
    }

    /// The version of the row's refresh token, if the row holds the answer that is being stored and brought another one: the write was
    /// carried out, and its acknowledgement is late or lost (hard case H6). nil otherwise.
    private func versionStored(in row: GrantRow) -> Int64? {
        guard case .storing(let answer, _) = phase, answer.newRefreshToken != nil,
            case .present(let version) = row.grant, version != grantVersion,
            row.accessToken?.fingerprint == answer.accessToken.fingerprint
        else { return nil }
        return version
    }

    /// Whether the row holds the very refresh token that is known, under another version: sealed by another key.
    private func isSealedAnew(_ row: GrantRow) -> Bool {
        guard case .present(let version) = row.grant, version != grantVersion else { return false }
        return row.memory?.sealedAnewFrom.contains(grantVersion) ?? false
    }

    /// Another daemon had this very grant refused for good: this one need not have it refused too. A success since would
    /// have taken the note's place.
    private mutating func refusedElsewhere(_ memory: GrantMemory?, _ occasion: Occasion) -> Step? {
        guard let memory, memory.grantVersion == grantVersion, case .good = standing, !isInHand else { return nil }
        if memory.status == .unknownOutcome { return outcomeUnknownElsewhere(memory, occasion) }
        guard memory.status == .reauthorizationRequired else { return nil }
        standing = .refused(probes: 0)
        trouble = .streak(FailureStreak(remembered: memory, at: occasion.now))
        phase = .resting
        return armed(occasion.now + occasion.policy.probeDelay(afterProbes: 0, draw: occasion.draw))
    }

    /// Somebody had a token for this very grant: whatever failed or was refused here works. Where a refresh was wanted,
    /// this is it, unless the token is due already.
    private mutating func adopted(_ found: TokenLife, _ occasion: Occasion) -> Step {
        let isDue = occasion.policy.due(found, draw: occasion.draw).isReached(at: occasion.now)
        switch phase {
        case .refreshing:
            // A refusal that comes of the call now is the first again (hard case H7).
            if rowStanding == .good { (standing, trouble) = (.good, .none) }
            return Step(.keep, .adopt)
        case .storing, .salvaging: return Step(.keep, .adopt)
        case .queued where isDue: return Step(.keep, .adopt)
        case .resting, .queued, .elsewhere, .inDoubt: break
        }
        guard rowStanding == .good else { return Step(.keep, .adopt) }
        phase = .resting
        isPutOff = false
        trouble = .none
        standing = .good
        return armed(nextRefresh(occasion), .adopt)
    }
}
