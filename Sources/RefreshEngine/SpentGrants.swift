// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Refresh tokens that daemons put others in the place of, on a provider that replaces them: they are spent, and one that is sent again
/// costs the grant. Known by their versions, so that a row that shows one again is not taken for a row with a new grant (hard case H5).
struct SpentGrants: Sendable {
    fileprivate struct Spent: Sendable {
        /// The last one first.
        var versions: [Int64] = []
        /// What stands in the place of the last one, closed; nil where another daemon put it there.
        var successor: [UInt8]?
    }

    /// So many are known of an account: more than a backup, a failover or an application's cache goes back.
    static let mostVersions = 8

    /// Rows that are gone and may come back, as when an application deletes and inserts what it means to change; of more than these nothing
    /// is kept.
    static let mostGone = 256

    private let limit: Int
    private let seal: MemorySeal
    private var spent: [UserID: Spent] = [:]
    /// Whose rows are gone, the last one last.
    private var gone: [UserID] = []

    /// None are known yet.
    ///
    /// - Parameters:
    ///   - limit: accounts of which any are known at most; of more, those that were refreshed first are known.
    ///   - seal: closes successors.
    init(limit: Int, seal: MemorySeal) {
        self.limit = limit
        self.seal = seal
    }

    /// A daemon's refresh put another one in the place of that version: this one, if it is this daemon's.
    mutating func note(_ version: Int64, of user: UserID, successor: Secret) {
        guard spent.count < limit || spent[user] != nil else { return }
        var known = spent[user] ?? Spent()
        known.add([version])
        known.successor = seal.close(successor)
        spent[user] = known
    }

    /// Other daemons put others in the place of these.
    mutating func note(_ versions: [Int64], of user: UserID) {
        guard spent.count < limit || spent[user] != nil else { return }
        let known = spent[user] ?? Spent()
        // What this daemon put there is none of theirs, or has been replaced itself.
        guard let last = versions.first, !known.versions.contains(last) else { return }
        var more = known
        more.add(versions)
        more.successor = nil
        spent[user] = more
    }

    /// The refresh token of that version proved that it is not spent.
    mutating func proved(_ version: Int64, of user: UserID) {
        guard spent[user]?.versions.contains(version) == true else { return }
        spent[user]?.versions.removeAll { $0 == version }
        // It was put in the place of what has been replaced by a person now.
        spent[user]?.successor = nil
    }

    /// The account's row is gone.
    mutating func left(_ user: UserID) {
        guard spent[user] != nil else { return }
        gone.append(user)
        if gone.count > Self.mostGone { spent[gone.removeFirst()] = nil }
    }

    /// The account's row is there, be it again.
    mutating func came(_ user: UserID) {
        if !gone.isEmpty { gone.removeAll { $0 == user } }
    }

    /// Whether the refresh token of that version is known to be spent.
    func contains(_ version: Int64, of user: UserID) -> Bool {
        spent[user]?.versions.contains(version) == true
    }

    /// What stands in the place of the account's last one that is spent; nil if only another daemon knows.
    func successor(of user: UserID) -> Secret? {
        spent[user]?.successor.flatMap(seal.open)
    }
}

extension SpentGrants.Spent {
    fileprivate mutating func add(_ more: [Int64]) {
        versions = Array((more + versions.filter { !more.contains($0) }).prefix(SpentGrants.mostVersions))
    }
}
