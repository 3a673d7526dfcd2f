// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Synchronization
import TokenCore

/// The way of rows into the engine: the first load, the reconcile pass, and single rows read again.
extension RefreshEngine {
    /// Loads every row. Until that is done, nobody can be told that a user is unknown.
    func load() {
        let began = clock()
        Task {
            do throws(StoreFailure) {
                let mark = try await store.load { rows in await self.take(rows) }
                endLoad(began, mark)
            } catch {
                loadFailed(error)
            }
        }
    }

    private func endLoad(_ began: Moment, _ mark: PassMark?) {
        let now = clock()
        noteStoreAnswered()
        census.loaded(mark)
        phase = phase == .loading ? .running : phase
        chores.loadFailures = 0
        chores.reconcileAt = phase == .running ? now + configuration.reconcileEvery : nil
        loaded.store(true, ordering: .releasing)
        let waiting = waitingForLoad
        waitingForLoad = []
        for continuation in waiting { continuation.resume() }
        logger.notice(
            "accounts loaded",
            metadata: [
                LogKey.accounts: .stringConvertible(table.count),
                LogKey.duration: (now.boot - began.boot).logMilliseconds,
            ]
        )
        shareRotation()
        watchCapacity()
        keepMoreGrants()
        if phase == .running { following = Task { await store.follow { news in await self.hear(news) } } }
        advance()
    }

    private func loadFailed(_ error: StoreFailure) {
        guard phase == .loading else { return }
        guard error.kind != .misconfigured else { return finish(throwing: error) }
        chores.loadFailures += 1
        let wait = configuration.policy.backoff.delay(
            afterFailures: chores.loadFailures,
            lifeLeft: .zero,
            draw: draw()
        )
        note(error, "accounts could not be loaded")
        chores.loadAt = clock() + wait
        advance()
    }

    /// Takes in rows as they are now: new accounts begin, known ones learn what changed.
    func take(_ rows: [GrantRow]) {
        for row in rows {
            if let slot = table.slot(of: row.user) {
                let version = table[slot]?.machine.grantVersion
                apply(slot, row: row) { $0.rowChanged(row, $1) }
                if table[slot]?.machine.grantVersion != version { awaitKeeping(slot) } else { reconsiderKeeping(slot) }
            } else {
                insert(row)
            }
        }
        advance()
    }

    private func insert(_ row: GrantRow) {
        let occasion = occasion()
        let (machine, step) = GrantStateMachine.loaded(row, occasion)
        let account = Account(user: row.user, machine: machine)
        let slot = table.insert(account)
        statuses.count(machine, by: 1)
        census.moved(row.user)
        carryOut(step, slot, account, row: row, occasion.now)
        tellOfNew(account, occasion.now)
        awaitKeeping(slot)
    }

    private func remove(_ user: UserID) {
        guard let slot = table.slot(of: user), let account = table[slot] else { return }
        if account.machine.isStoring { unstored -= 1 }
        if account.machine.isWithheld { unpublished -= 1 }
        statuses.count(account.machine, by: -1)
        due.disarm(slot)
        ready.disarm(slot)
        table.remove(slot)
        census.moved(user)
        if attempts[user] == nil, let claim = claims.removeValue(forKey: user) { end(claim, after: .zero) }
        kept.forget(user)
        slowRows.remove(user)
        attemptLog.forget(user)
        tellOfRemoved(account, clock())
    }
}

extension RefreshEngine {
    /// Says it when the rate cannot carry the accounts there are: then tokens die although nothing fails.
    func watchCapacity() {
        let capacity = capacity
        // Who has no grant, or needs a person, costs no refresh.
        let accounts = tally.healthy + tally.failing
        guard let news = capacityWatch.look(accounts: accounts, capacity: capacity) else { return }
        let metadata: Logger.Metadata = [
            LogKey.accounts: .stringConvertible(accounts), LogKey.capacity: .stringConvertible(capacity),
            LogKey.event: "capacity.\(news)",
        ]
        switch news {
        case .exceeded: logger.warning("more accounts than refresh.maxPerSecond can keep fresh", metadata: metadata)
        case .sufficient: logger.notice("refresh.maxPerSecond can keep all accounts fresh", metadata: metadata)
        }
    }
}

// MARK: - Reconcile

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
        case .unknown: chores.wantsPass = true
        }
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

// MARK: - Single rows

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
        let now = versions(of: users)
        let moved = Set(users.filter { held[$0] != now[$0] })
        let found = Set(rows.map(\.user))
        for user in users where !found.contains(user) && !moved.contains(user) { remove(user) }
        take(rows.filter { !moved.contains($0.user) })
        for user in moved { reread(user) }
        for user in users { requeue(user) }
        advance()
    }

    /// The versions of these users' refresh tokens as they are held; nobody is held who is missing.
    private func versions(of users: [UserID]) -> [UserID: Int64] {
        var versions: [UserID: Int64] = [:]
        for user in users {
            if let slot = table.slot(of: user) { versions[user] = table[slot]?.machine.grantVersion }
        }
        return versions
    }

    /// An account that left the line because its grant could not be read, and whose row says nothing new, goes on by
    /// its failure's backoff.
    private func requeue(_ user: UserID) {
        guard let slot = table.slot(of: user), let machine = table[slot]?.machine, machine.phase == .queued else {
            return
        }
        guard !ready.contains(slot), !claiming.contains(user) else { return }
        let failure = RefreshFailure(.storeUnavailable, text: "the grant was not in its row when it was read")
        apply(slot) { $0.failed(failure, using: machine.grantVersion, $1) }
    }

    private func couldNotReread(_ users: [UserID], _ error: StoreFailure) {
        isRereading = false
        note(error, "rows could not be read", accounts: users.count)
        for user in users { requeue(user) }
        advance()
    }
}
