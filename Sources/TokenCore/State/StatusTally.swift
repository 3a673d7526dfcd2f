// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HeapModule

/// How many accounts have which status, and the least life left to a token, without looking at the accounts.
///
/// A status changes with time alone: a token dies, and nobody gives its machine an input. So accounts are counted by what of
/// their state does not depend on time, and those with a living token by the second in which it dies as well. The seconds
/// that went by are counted off once each. A token counts as dead in its last second, and dies by the clock that counts from
/// boot: a step of the other is seen here when it has made the accounts take a step.
package struct StatusTally: Sendable {
    /// Accounts whose status hangs on whether their token lives, and the others in good standing.
    private struct Living: Hashable, Sendable {
        var resting = 0
        var calling = 0
        var failing = 0

        var total: Int { resting + calling + failing }

        /// Adds to those whose status with a living token is this; nothing for one that needs no living token.
        mutating func add(_ change: Int, _ status: GrantStatus) {
            switch status {
            case .active: resting += change
            case .refreshing: calling += change
            case .degraded: failing += change
            case .expired, .reauthorizationRequired, .unknownOutcome, .unreadable, .noGrant: break
            }
        }

        mutating func subtract(_ other: Living) {
            resting -= other.resting
            calling -= other.calling
            failing -= other.failing
        }
    }

    /// By the status that is the account's whatever time it is; for those in good standing, what would be theirs with a
    /// living token.
    private var accounts: [GrantStatus: Int] = [:]
    private var living = Living()
    private var livingBySecond: [Int64: Living] = [:]
    private var seconds = Heap<Int64>()
    private var pastSecond = Int64.min

    /// Counts nobody yet.
    package init() {}

    /// Counts an account in (`by` 1) or out (`by` -1): out with the very state that it was counted in with.
    package mutating func count(_ machine: GrantStateMachine, by change: Int) {
        let status = machine.status(withLivingToken: true)
        accounts[status, default: 0] += change
        guard case .good = machine.standing, let life = machine.life else { return }
        let second = Self.second(of: life.expiresAt.boot)
        guard second > pastSecond else { return }
        living.add(change, status)
        if livingBySecond[second] == nil { seconds.insert(second) }
        livingBySecond[second, default: Living()].add(change, status)
    }

    /// Time has come so far: counts off the tokens that died.
    package mutating func pass(to now: BootTime) {
        let second = Self.second(of: now)
        guard second > pastSecond else { return }
        pastSecond = second
        while let first = seconds.min, first <= second { drop(first) }
    }

    /// How many accounts have the status.
    package func count(of status: GrantStatus) -> Int {
        switch status {
        case .active: living.resting
        case .refreshing: counted(.refreshing) + counted(.active) - living.resting
        case .degraded: living.failing
        case .expired: counted(.degraded) - living.failing
        case .reauthorizationRequired, .unknownOutcome, .unreadable, .noGrant: counted(status)
        }
    }

    /// What is left to the token in good standing that dies first, rounded down; zero if one of them has none alive, nil if
    /// there is nobody in good standing.
    package mutating func leastRemaining(at now: BootTime) -> Duration? {
        pass(to: now)
        let all = counted(.active) + counted(.refreshing) + counted(.degraded)
        guard all > 0 else { return nil }
        guard living.total == all else { return .zero }
        while let first = seconds.min, livingBySecond[first] == Living() { drop(first) }
        return seconds.min.map { .seconds($0 - pastSecond) }
    }

    /// The statuses in groups, of which none changes by time alone.
    package var groups: AccountTally {
        AccountTally(
            healthy: counted(.active) + counted(.refreshing),
            failing: counted(.degraded),
            needingAPerson: counted(.reauthorizationRequired) + counted(.unknownOutcome) + counted(.unreadable),
            withoutGrant: counted(.noGrant)
        )
    }

    private func counted(_ status: GrantStatus) -> Int { accounts[status] ?? 0 }

    private mutating func drop(_ second: Int64) {
        _ = seconds.popMin()
        if let dead = livingBySecond.removeValue(forKey: second) { living.subtract(dead) }
    }

    private static func second(of time: BootTime) -> Int64 {
        Duration.nanoseconds(time.nanoseconds).wholeSecondsDown
    }
}
