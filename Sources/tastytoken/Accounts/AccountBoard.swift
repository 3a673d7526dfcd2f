// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// How all accounts stand, and those that need to be looked at first: what is in trouble, then what dies soonest.
struct AccountBoard {
    /// Accounts that are kept at most; many more than any screen has lines. The rest is only counted.
    static let limit = 1000

    private struct Urgency: Comparable {
        let rank: Int
        let expiresAt: Int64
        let user: String

        static func < (one: Urgency, other: Urgency) -> Bool {
            (one.rank, one.expiresAt, one.user) < (other.rank, other.expiresAt, other.user)
        }
    }

    private var ranked: [(urgency: Urgency, status: StatusReply)] = []
    /// How many accounts have which status.
    private(set) var counts: [String: Int] = [:]

    /// No accounts.
    init() {}

    /// Adds accounts; none twice.
    mutating func add(_ accounts: some Sequence<StatusReply>) {
        for account in accounts {
            counts[account.status, default: 0] += 1
            ranked.append((Self.urgency(of: account), account))
        }
        ranked.sort { $0.urgency < $1.urgency }
        ranked.removeLast(max(ranked.count - Self.limit, 0))
    }

    /// The most urgent accounts, the most urgent first.
    var accounts: [StatusReply] { ranked.map(\.status) }

    /// How many accounts there are.
    var total: Int { counts.values.reduce(0, +) }

    /// `5 accounts: 1 expired, 4 active`, what is in trouble first.
    var summary: String {
        let parts = counts.sorted { (Self.rank($0.key), $0.key) < (Self.rank($1.key), $1.key) }
            .map { "\($0.value) \(Failure.shown($0.key))" }
        let head = total == 1 ? "1 account" : "\(total) accounts"
        return parts.isEmpty ? head : "\(head): \(parts.joined(separator: ", "))"
    }

    private static func urgency(of account: StatusReply) -> Urgency {
        // Who has no token at all is worse off than who has one that died.
        let expiry = account.expiresAt.flatMap(Timestamp.microseconds) ?? .min
        return Urgency(rank: rank(account.status), expiresAt: expiry, user: account.user)
    }

    private static func rank(_ status: String) -> Int {
        switch status {
        case "active", "refreshing": 3
        case "no_grant": 2
        case "degraded": 1
        // What this version has never heard of is hardly good news.
        default: 0
        }
    }
}
