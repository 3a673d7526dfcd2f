// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// The tokens at hand, readable from any thread (architecture.md, decision 7). The engine writes, the socket reads.
///
/// One lock, held for a dictionary access and never across I/O or a callback: waiters are collected under it and woken
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
        var entries: [UserID: BoardEntry] = [:]
        var waiters: [UserID: [UInt64: @Sendable () -> Void]] = [:]
        var lastWaiter: UInt64 = 0
        var lastVersion: UInt64 = 0
    }

    private let state = Mutex(State())

    /// An empty board.
    package init() {}

    /// What is known of the account; nil if it is not on the board.
    package func entry(for user: UserID) -> BoardEntry? {
        state.withLock { $0.entries[user] }
    }

    /// How many accounts are on the board.
    package var count: Int { state.withLock { $0.entries.count } }

    /// Puts the account as it is now on the board and wakes its waiters, unless nothing changed.
    package func update(_ user: UserID, _ change: TokenChange, prospect: RefreshProspect) {
        let woken: [@Sendable () -> Void] = state.withLock { state in
            let old = state.entries[user]
            var token = old?.token
            switch change {
            case .keep: if let old, old.prospect == prospect { return [] }
            case .replace(let new): token = new
            case .withdraw: token = nil
            }
            state.lastVersion += 1
            state.entries[user] = BoardEntry(token: token, prospect: prospect, version: state.lastVersion)
            return Self.takeWaiters(of: user, from: &state)
        }
        for wake in woken { wake() }
    }

    /// Takes the account off the board; its waiters learn that it is gone.
    package func remove(_ user: UserID) {
        let woken = state.withLock { state in
            state.entries[user] = nil
            return Self.takeWaiters(of: user, from: &state)
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
            guard state.entries[user]?.version == version else { return nil }
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

    private static func takeWaiters(of user: UserID, from state: inout State) -> [@Sendable () -> Void] {
        guard !state.waiters.isEmpty, let waiters = state.waiters.removeValue(forKey: user) else { return [] }
        return Array(waiters.values)
    }
}
