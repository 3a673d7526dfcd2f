// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// How changes of rows are found: by what the database tells of them, and by passes that compare all of them.
extension RefreshEngine {
    /// After a pass there is none out of turn for so long at least, nor for a multiple of what the pass took: whatever
    /// news comes, the database is not read through again and again.
    private static let shortestPause: Duration = .seconds(1)
    private static let pausePerPass = 4
    /// Rows that news may put in line to be read again. Beyond it a pass is the cheaper way to find them.
    private static let mostNews = 10_000

    /// Takes news of changed rows: reads them again, or, where it is not said which they are, has a pass find them.
    func hear(_ news: ChangeNews) {
        guard phase == .running else { return }
        switch news {
        case .users(let users) where pendingRereads.count + users.count <= Self.mostNews:
            pendingRereads.formUnion(users)
        case .users: chores.wantsPass = true
        case .released(let users):
            for user in users {
                if let slot = table.slot(of: user) { apply(slot) { $0.claimReleased($1) } }
            }
        case .unknown: chores.wantsPass = true
        }
        advance()
    }

    /// What kept rows from being read may be mended by other means than a change of theirs (keys came). The next pass is over all
    /// rows, since some may have been read before and not been taken in yet; where any is known to be unreadable it is at once.
    package func lookAgainAtUnreadable() {
        census.distrust()
        guard statuses.count(of: .unreadable) > 0 else { return }
        chores.wantsPass = true
        advance()
    }

    /// Brings the next pass forward if one was asked for; while one goes on, it stays asked for.
    func bringPassForward(at now: Moment) {
        guard chores.wantsPass, let reconcileAt = chores.reconcileAt else { return }
        chores.wantsPass = false
        let soonest = chores.nextPassAfter ?? now
        if soonest.remaining(at: now) < reconcileAt.remaining(at: now) { chores.reconcileAt = soonest }
    }

    /// Compares the rows that were changed since the last pass with what is held, by numbers alone, and reads again what
    /// differs.
    func reconcile() {
        chores.reconcileAt = nil
        chores.passBeganAt = clock()
        table.beginPass()
        census.begin()
        let mark = census.mark
        Task {
            do throws(StoreFailure) {
                endPass(try await store.changes(since: mark) { digests in await self.compare(digests) })
            } catch {
                passFailed(error)
            }
        }
    }

    private func compare(_ digests: [RowDigest]) {
        let now = clock()
        for digest in digests where differs(digest, now) { reread(digest.user) }
        advance()
    }

    private func differs(_ digest: RowDigest, _ now: Moment) -> Bool {
        guard let slot = table.slot(of: digest.user) else {
            census.met(digest.user)
            return true
        }
        table.markSeen(slot)
        guard let machine = table[slot]?.machine else { return true }
        if (digest.grantVersion ?? 0) != machine.grantVersion { return true }
        // What makes a row unreadable may stand in a column that the digest does not tell of.
        if case .unreadable = machine.standing { return true }
        // Nobody needs the copy of a token that is dead.
        guard let expiresAt = digest.expiresAt, expiresAt > now.wall else { return false }
        // What the database holds is cut to microseconds; a difference below that is no difference.
        return expiresAt.microseconds > (machine.life?.expiresAt.wall.microseconds ?? .min)
    }

    private func endPass(_ pass: TablePass) {
        if pass.isComplete {
            for user in table.unseen() { reread(user) }
        }
        noteStoreAnswered()
        shareRotation()
        lookForClients()
        lookForJournal()
        watchCapacity()
        keepMoreGrants()
        let verdict = census.end(pass, held: table.count) { table.slot(of: $0) != nil }
        nextPass(after: verdict == .wantsAll ? .zero : configuration.reconcileEvery)
    }

    private func passFailed(_ failure: StoreFailure) {
        note(failure, "reconcile pass failed")
        nextPass(after: configuration.reconcileEvery)
    }

    private func nextPass(after wait: Duration) {
        let now = clock()
        let took = chores.passBeganAt.map { now.boot - $0.boot } ?? .zero
        chores.nextPassAfter = now + max(Self.shortestPause, took * Self.pausePerPass)
        chores.reconcileAt = phase == .running ? clock() + wait : nil
        advance()
    }
}
