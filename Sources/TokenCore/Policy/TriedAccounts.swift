// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The accounts for which calls ended within the last minute, each by the outcome of its latest call: one that is tried again and
/// again counts once, like any other.
struct TriedAccounts: Sendable {
    /// How long a call counts.
    private static let span: Duration = .seconds(60)
    /// So many calls are remembered at most; where more are made in a minute, the latest ones are a fair sample.
    static let mostCalls = 16_384

    private struct Latest: Sendable {
        let outcome: CallOutcome
        let at: BootTime
    }

    private var latest: [UserID: Latest] = [:]
    /// Every call in its order, from `first` on; what a later one of the same account replaced is passed over.
    private var calls: [(user: UserID, at: BootTime)] = []
    private var first = 0
    private var counts: [CallOutcome: Int] = [:]
    /// Accounts whose calls had no answer since a call last had one; no more than tell enough.
    private(set) var unansweredInARow: Set<UserID> = []

    /// How many accounts there are.
    var count: Int { latest.count }

    /// How many of them had that outcome last.
    func count(_ outcome: CallOutcome) -> Int { counts[outcome] ?? 0 }

    /// Those that had that outcome last.
    func users(_ outcome: CallOutcome) -> [UserID] {
        latest.filter { $0.value.outcome == outcome }.map(\.key)
    }

    /// A call for the account ended.
    mutating func note(_ outcome: CallOutcome, of user: UserID, at now: BootTime) {
        pass(to: now)
        forget(user)
        latest[user] = Latest(outcome: outcome, at: now)
        counts[outcome, default: 0] += 1
        calls.append((user, now))
        guard outcome == .unanswered else { return unansweredInARow = [] }
        if unansweredInARow.count < Breaker.fewestAccounts { unansweredInARow.insert(user) }
    }

    private mutating func forget(_ user: UserID) {
        guard let old = latest.removeValue(forKey: user) else { return }
        counts[old.outcome, default: 0] -= 1
    }

    /// Time has come so far: what is older than a minute is forgotten.
    mutating func pass(to now: BootTime) {
        while first < calls.count, calls.count - first >= Self.mostCalls || now - calls[first].at > Self.span {
            let (user, at) = calls[first]
            if latest[user]?.at == at { forget(user) }
            first += 1
        }
        if first > calls.count / 2 {
            calls.removeFirst(first)
            first = 0
        }
    }
}
