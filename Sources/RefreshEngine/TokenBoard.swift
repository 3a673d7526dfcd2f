// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// The tokens at hand, readable from any thread (architecture.md, decision 7). The engine writes, the socket reads.
///
/// It also says in which slot an account stands, for the engine's own tables too, so that there is one such index and not two.
///
/// One lock, held for a look at a table and never across I/O or a callback: waiters are collected under it and woken
/// after it is released.
package final class TokenBoard: Sendable {
    /// What becomes of the token in an update.
    package enum TokenChange: Sendable {
        /// The one there is stays.
        case keep
        /// This one replaces it.
        case replace(PublishedToken)
        /// None is handed out any more.
        case withdraw
    }

    private struct State: Sendable {
        var index = UserIndex()
        /// Each entry in its user's slot.
        var entries: [BoardEntry?] = []
        /// Each entry's client, in the same slot.
        var lanes: [LaneNumber] = []
        var waiters: [UserID: [UInt64: @Sendable () -> Void]] = [:]
        var lastWaiter: UInt64 = 0
        var lastVersion: UInt64 = 0
        /// To when calls stand still for all accounts of a client; mostly for none.
        var standstills: [LaneNumber: Moment] = [:]

        /// What callers see of the entry in the slot.
        func entry(in slot: Int) -> BoardEntry? {
            guard let entry = entries[slot], !standstills.isEmpty, let end = standstills[lanes[slot]] else {
                return entries[slot]
            }
            return entry.standingStill(until: end)
        }
    }

    private let state = Mutex(State())

    /// An empty board.
    package init() {}

    /// What is known of the account; nil if it is not on the board.
    package func entry(for user: UserID) -> BoardEntry? {
        state.withLock { state in state.index.slot(of: user).flatMap { state.entry(in: $0) } }
    }

    /// Calls stand still for all accounts of a client until then, or go on. Who waits for one learns that it will not come so soon.
    package func standStill(_ lane: LaneNumber, until end: Moment?) {
        let woken: [@Sendable () -> Void] = state.withLock { state in
            let isNew = state.standstills[lane] == nil && end != nil
            state.standstills[lane] = end
            guard isNew else { return [] }
            let users = state.waiters.keys.filter { user in
                state.index.slot(of: user).map { state.lanes[$0] } == lane
            }
            return users.flatMap { state.waiters.removeValue(forKey: $0).map { Array($0.values) } ?? [] }
        }
        for wake in woken { wake() }
    }

    /// How many accounts are on the board.
    package var count: Int { state.withLock(\.index.count) }

    /// The account's slot; nil if there is none of that user.
    package func slot(of user: UserID) -> AccountSlot? {
        state.withLock { $0.index.slot(of: user) }.map { AccountSlot(Int32($0)) }
    }

    /// Whose account has the slot; nil once it was removed.
    package func user(in slot: AccountSlot) -> UserID? { holder(of: slot)?.user }

    /// Whose account has the slot, and its client's lane; nil once it was removed.
    func holder(of slot: AccountSlot) -> (user: UserID, lane: LaneNumber)? {
        state.withLock { state in
            let slot = Int(slot.index)
            return state.index.user(in: slot).map { ($0, state.lanes[slot]) }
        }
    }

    /// Gives the account a slot that stays its own until it is removed; what is known of it follows in an update.
    package func admit(_ user: UserID, in lane: LaneNumber = .ofDefault) -> AccountSlot {
        state.withLock { state in
            let slot = state.index.insert(user)
            if slot == state.entries.count {
                state.entries.append(nil)
                state.lanes.append(lane)
            }
            state.lanes[slot] = lane
            return AccountSlot(Int32(slot))
        }
    }

    /// Has the account belong to another client.
    func move(_ slot: AccountSlot, to lane: LaneNumber) {
        state.withLock { $0.lanes[Int(slot.index)] = lane }
    }

    /// Puts the account as it is now on the board and wakes its waiters, unless nothing changed.
    package func update(_ slot: AccountSlot, _ change: TokenChange, prospect: RefreshProspect) {
        let slot = Int(slot.index)
        let woken: [@Sendable () -> Void] = state.withLock { state in
            let old = state.entries[slot]
            var token = old?.token
            switch change {
            case .keep: if let old, old.prospect == prospect { return [] }
            case .replace(let new): token = new
            case .withdraw: token = nil
            }
            state.lastVersion += 1
            state.entries[slot] = BoardEntry(token: token, prospect: prospect, version: state.lastVersion)
            return Self.takeWaiters(in: slot, from: &state)
        }
        for wake in woken { wake() }
    }

    /// Takes the account off the board and its slot back; its waiters learn that it is gone.
    package func remove(_ user: UserID) {
        let woken: [@Sendable () -> Void] = state.withLock { state in
            guard let slot = state.index.slot(of: user) else { return [] }
            let waiters = Self.takeWaiters(in: slot, from: &state)
            state.entries[slot] = nil
            _ = state.index.remove(user)
            return waiters
        }
        for wake in woken { wake() }
    }

    /// See ``TokenServing/onChange(of:after:_:)``.
    package func onChange(
        of user: UserID,
        after version: UInt64,
        _ wake: @escaping @Sendable () -> Void
    ) -> ChangeWaiter? {
        let waiter: ChangeWaiter? = state.withLock { state in
            let entry = state.index.slot(of: user).flatMap { state.entry(in: $0) }
            guard entry?.version == version else { return nil }
            state.lastWaiter += 1
            state.waiters[user, default: [:]][state.lastWaiter] = wake
            return ChangeWaiter(user: user, number: state.lastWaiter)
        }
        if waiter == nil { wake() }
        return waiter
    }

    /// See ``TokenServing/cancel(_:)``.
    package func cancel(_ waiter: ChangeWaiter) {
        state.withLock { state in
            guard var waiters = state.waiters[waiter.user] else { return }
            waiters[waiter.number] = nil
            state.waiters[waiter.user] = waiters.isEmpty ? nil : waiters
        }
    }

    private static func takeWaiters(in slot: Int, from state: inout State) -> [@Sendable () -> Void] {
        guard !state.waiters.isEmpty, let user = state.index.user(in: slot),
            let waiters = state.waiters.removeValue(forKey: user)
        else { return [] }
        return Array(waiters.values)
    }
}

extension BoardEntry {
    /// Set in versions of entries that stand still: who has seen the other one must not wait for a change of it.
    private static let stillness: UInt64 = 1 << 63

    /// The same where nobody's refresh is begun before that time.
    fileprivate func standingStill(until end: Moment) -> BoardEntry {
        let still = BoardEntry(token: token, prospect: .backingOff(until: end), version: version | Self.stillness)
        switch prospect {
        case .possible, .underWay: return still
        case .backingOff(let until): return end.boot > until.boot ? still : self
        case .refused, .unknownOutcome, .unreadable, .noGrant: return self
        }
    }
}
