// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Synchronization
import TokenCore

/// The way of rows into the engine: the first load, and what is made of rows that come at any time.
extension RefreshEngine {
    /// Loads every row. Until that is done, nobody can be told that a user is unknown.
    func load() {
        let began = clock()
        Task {
            await recoverJournal()
            // A stop may have come meanwhile, and the store must not be opened again after it.
            guard phase == .loading else { return }
            if waitsForJournal { return tryLoadingLater() }
            do throws(StoreFailure) {
                try await learnClients()
                let mark = try await store.load { rows in await self.take(rows) }
                // Before anything is refreshed: with a provider that rotates, each call is written down first.
                await learnRotation()
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
        note(error, "accounts could not be loaded")
        tryLoadingLater()
    }

    private func tryLoadingLater() {
        chores.loadFailures += 1
        let wait = configuration.policy.backoff.delay(
            afterFailures: chores.loadFailures,
            lifeLeft: .zero,
            draw: draw()
        )
        chores.loadAt = clock() + wait
        advance()
    }

    /// Takes in rows as they are now: new accounts begin, known ones learn what changed.
    func take(_ rows: [GrantRow]) {
        for row in rows {
            if let slot = table.slot(of: row.user) {
                let version = table[slot]?.machine.grantVersion
                learn(row, slot)
                if table[slot]?.machine.grantVersion != version { awaitKeeping(slot) } else { reconsiderKeeping(slot) }
            } else {
                insert(row)
            }
        }
        advance()
    }

    /// Has a known account learn what its row says now. A refresh token that was only sealed anew is the one that is kept.
    func learn(_ found: GrantRow, _ slot: AccountSlot) {
        guard let row = minded(found) else { return }
        guard let lane = lanes.number(of: row.client) else { return awaitClient(of: row.user) }
        move(slot, to: lane)
        let version = table[slot]?.machine.grantVersion
        let tokenEnds = table[slot]?.machine.life?.expiresAt.boot
        apply(slot, row: row) { $0.rowChanged(row, $1) }
        if let end = table[slot]?.machine.life?.expiresAt.boot, tokenEnds.map({ end > $0 }) ?? true {
            noteTokenElsewhere(in: lane)
        }
        if !recovered.isEmpty { takeUpJournal(of: row, slot) }
        guard let version, row.memory?.sealedAnewFrom.contains(version) == true,
            table[slot]?.machine.grantVersion == row.grant.version
        else { return }
        kept.renumber(row.user, from: version, to: row.grant.version)
    }

    private func insert(_ found: GrantRow) {
        guard let row = minded(found) else { return }
        guard let lane = lanes.number(of: row.client) else { return awaitClient(of: row.user) }
        let occasion = occasion(in: lane)
        let (machine, step) = hands.holding(row.user, row.grant.version, .beginning) {
            GrantStateMachine.loaded(row, occasion)
        }
        let account = Account(user: row.user, lane: lane, machine: machine)
        let slot = table.insert(account)
        spent.came(row.user)
        statuses.count(machine, by: 1)
        census.moved(row.user)
        carryOut(step, slot, account, row: row, occasion.now)
        tellOfNew(account, occasion.now)
        if !recovered.isEmpty { takeUpJournal(of: row, slot) }
        awaitKeeping(slot)
    }

    /// Forgets the account, since its row is gone.
    func remove(_ user: UserID) {
        guard let slot = table.slot(of: user), let account = table[slot] else { return }
        if account.machine.isStoring { unstored -= 1 }
        if account.machine.isWithheld { unpublished -= 1 }
        statuses.count(account.machine, by: -1)
        due.disarm(slot)
        lanes[account.lane].ready.disarm(slot)
        table.remove(slot)
        census.moved(user)
        if attempts[user] == nil, let claim = claims.removeValue(forKey: user) { end(claim, after: .zero) }
        kept.forget(user)
        spent.left(user)
        if recovered.removeValue(forKey: user) != nil { pendingSettles.append(user) }
        if attempts[user] == nil, journaled.remove(user) != nil { pendingSettles.append(user) }
        slowRows.remove(user)
        storingAttempts[user] = nil
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
