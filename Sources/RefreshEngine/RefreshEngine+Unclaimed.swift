// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Refreshing while the database is away (`refresh.withoutDatabase`): with refresh tokens kept in memory, and unclaimed.
///
/// Only for a provider that was seen to leave refresh tokens as they are, and never to rotate them. With one that does,
/// two daemons that refresh the same account unclaimed could cost its grant, and a new refresh token could be lost with
/// this process.
extension RefreshEngine {
    /// How long the database is not asked again after it was found away, so that refreshes need not wait for it each
    /// time.
    private static let patience: Duration = .seconds(2)
    /// Refresh tokens read for keeping at a time.
    private static let largestBatch = 500

    /// Whether refreshes go on without the database now.
    func goesUnclaimed(at now: Moment) -> Bool {
        guard mayGoUnclaimed, let storeAwayUntil else { return false }
        return !storeAwayUntil.isReached(at: now)
    }

    private var mayGoUnclaimed: Bool { configuration.refreshesWithoutDatabase && rotation == false }

    /// The database was found away, or there again.
    func storeIsAway(_ isAway: Bool, at now: Moment) {
        let wasAway = storeAwayUntil != nil
        storeAwayUntil = isAway ? now + Self.patience : nil
        guard wasAway != isAway, mayGoUnclaimed else { return }
        let metadata: Logger.Metadata = [
            LogKey.accounts: "\(kept.count)", LogKey.event: "database.\(isAway ? "away" : "back")",
        ]
        if isAway {
            logger.warning("refreshing without the database as far as grants are kept in memory", metadata: metadata)
        } else {
            logger.notice("refreshing with the database again", metadata: metadata)
        }
    }

    /// Begins the refreshes of those users whose refresh token is kept, unclaimed; gives the others.
    func beginUnclaimed(_ users: [UserID]) -> [UserID] {
        users.filter { user in
            guard let slot = table.slot(of: user), let machine = table[slot]?.machine, machine.phase == .queued,
                attempts[user] == nil, let token = kept.token(of: user, version: machine.grantVersion)
            else { return true }
            // An older claim says nothing about this call.
            claims[user] = nil
            apply(slot) { $0.begun(version: machine.grantVersion, $1) }
            call(token, of: user, version: machine.grantVersion)
            return false
        }
    }

    /// Reads refresh tokens for keeping, a batch at a time, until all are kept that there is room for. The table is gone
    /// through once; who comes later is found behind its end, or kept with the first claim.
    func keepMoreGrants() {
        guard phase == .running, configuration.refreshesWithoutDatabase, rotation != true, !isKeeping, kept.hasRoom
        else { return }
        let users = nextToKeep(Self.largestBatch)
        guard !users.isEmpty else { return }
        isKeeping = true
        Task {
            do throws(StoreFailure) {
                keep(try await store.grants(of: users))
            } catch {
                // What is missing then is looked for at the next pass, from the beginning.
                isKeeping = false
                keptUpTo = 0
            }
        }
    }

    private func keep(_ grants: [StoredGrant]) {
        isKeeping = false
        for grant in grants {
            if case .success(let token) = grant.refreshToken {
                kept.keep(token, version: grant.version, of: grant.user)
            }
        }
        keepMoreGrants()
    }

    /// The next users in the table whose refresh token is not kept; none once the table was gone through.
    private func nextToKeep(_ count: Int) -> [UserID] {
        var users: [UserID] = []
        while users.count < count, let account = table.account(after: &keptUpTo) {
            guard case .good = account.machine.standing, !kept.has(account.user, version: account.machine.grantVersion)
            else { continue }
            users.append(account.user)
        }
        return users
    }
}
