// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Single rows, read again.
extension RefreshEngine {
    private static let largestReread = 1000

    /// Puts a row in line to be read again.
    func reread(_ user: UserID) {
        pendingRereads.insert(user)
    }

    /// Reads the rows in line, unless a batch is under way.
    func flushRereads() {
        guard !isRereading, !pendingRereads.isEmpty else { return }
        let users = Array(pendingRereads.prefix(Self.largestReread))
        pendingRereads.subtract(users)
        isRereading = true
        let held = versions(of: users)
        Task {
            do throws(StoreFailure) {
                let rows = try await store.rows(of: users)
                reread(users, held: held, found: rows)
            } catch {
                couldNotReread(users, error)
            }
        }
    }

    /// Takes in what was read, unless the account's own grant moved meanwhile (a rotated one was stored): what was read
    /// before that must not undo it, and is read once more.
    private func reread(_ users: [UserID], held: [UserID: Int64], found rows: [GrantRow]) {
        isRereading = false
        let moved = moved(users, since: held)
        let found = Set(rows.map(\.user))
        for user in users where !found.contains(user) && !moved.contains(user) { remove(user) }
        take(rows.filter { !moved.contains($0.user) })
        for user in moved { reread(user) }
        for user in users { requeue(user) }
        advance()
    }

    /// Whose grant is another than the one that was held then.
    func moved(_ users: [UserID], since held: [UserID: Int64]) -> Set<UserID> {
        let now = versions(of: users)
        return Set(users.filter { held[$0] != now[$0] })
    }

    /// The versions of these users' refresh tokens as they are held; nobody is held who is missing.
    func versions(of users: [UserID]) -> [UserID: Int64] {
        var versions: [UserID: Int64] = [:]
        for user in users {
            if let slot = table.slot(of: user) { versions[user] = table[slot]?.machine.grantVersion }
        }
        return versions
    }

    /// An account that left the line because its grant could not be read, and whose row says nothing new, goes on by
    /// its failure's backoff.
    private func requeue(_ user: UserID) {
        guard let slot = table.slot(of: user), let account = table[slot], account.machine.phase == .queued else {
            return
        }
        let lane = lanes[account.lane]
        guard !lane.ready.contains(slot), !lane.claiming.contains(user) else { return }
        let failure = RefreshFailure(.storeUnavailable, text: "the grant was not in its row when it was read")
        apply(slot) { $0.failed(failure, using: account.machine.grantVersion, $1) }
    }

    private func couldNotReread(_ users: [UserID], _ error: StoreFailure) {
        isRereading = false
        note(error, "rows could not be read", accounts: users.count)
        for user in users { requeue(user) }
        advance()
    }
}
