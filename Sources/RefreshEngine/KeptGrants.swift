// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Refresh tokens kept closed in memory, for the time in which the database is away (`refresh.keepGrants`).
struct KeptGrants: Sendable {
    private struct Kept: Sendable {
        let version: Int64
        let closed: [UInt8]
    }

    private let limit: Int
    private let seal: MemorySeal
    private var kept: [UserID: Kept] = [:]

    /// Room for so many; zero keeps none.
    init(limit: Int, seal: MemorySeal) {
        self.limit = limit
        self.seal = seal
    }

    /// How many are kept.
    var count: Int { kept.count }

    /// Whether there is room for more.
    var hasRoom: Bool { kept.count < limit }

    /// Keeps a refresh token in place of an older one of the same user. Beyond the limit those that came first stay: the
    /// newcomer was used just now, so it is due last.
    mutating func keep(_ token: Secret, version: Int64, of user: UserID) {
        guard limit > 0, kept[user]?.version != version else { return }
        guard hasRoom || kept[user] != nil, let closed = seal.close(token) else { return }
        kept[user] = Kept(version: version, closed: closed)
    }

    /// The refresh token of this user, if it is of that version.
    func token(of user: UserID, version: Int64) -> Secret? {
        guard let kept = kept[user], kept.version == version else { return nil }
        return seal.open(kept.closed)
    }

    /// Whether one of that version is kept.
    func has(_ user: UserID, version: Int64) -> Bool { kept[user]?.version == version }

    /// Drops what is kept of this user.
    mutating func forget(_ user: UserID) {
        kept[user] = nil
    }
}
