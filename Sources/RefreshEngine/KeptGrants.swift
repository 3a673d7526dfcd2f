// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Refresh tokens kept closed in memory, for the time in which the database is away (`refresh.keepGrants`).
struct KeptGrants: Sendable {
    private struct Kept: Sendable {
        var version: Int64
        let closed: [UInt8]
    }

    /// Refresh tokens read for keeping at a time.
    static let largestBatch = 500

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

    /// How many more there is room for.
    var room: Int { limit - kept.count }

    /// Whether any are kept at all.
    var isWanted: Bool { limit > 0 }

    /// How much room is worth a question to the database, where the next is due by and by.
    var worthwhileRoom: Int { max(1, min(KeptGrants.largestBatch, limit / 8)) }

    /// Keeps a refresh token in place of an older one of the same user; where there is no room, none of a user who has
    /// none here. Who is to have the room is ``RefreshEngine``'s to say.
    mutating func keep(_ token: Secret, version: Int64, of user: UserID) {
        guard limit > 0, kept[user]?.version != version else { return }
        guard room > 0 || kept[user] != nil, let closed = seal.close(token) else { return }
        kept[user] = Kept(version: version, closed: closed)
    }

    /// The refresh token of this user, if it is of that version.
    func token(of user: UserID, version: Int64) -> Secret? {
        guard let kept = kept[user], kept.version == version else { return nil }
        return seal.open(kept.closed)
    }

    /// Whether one of that version is kept.
    func has(_ user: UserID, version: Int64) -> Bool { kept[user]?.version == version }

    /// The row holds the same refresh token under another version.
    mutating func renumber(_ user: UserID, from version: Int64, to newVersion: Int64) {
        if kept[user]?.version == version { kept[user]?.version = newVersion }
    }

    /// Drops what is kept of this user.
    mutating func forget(_ user: UserID) {
        kept[user] = nil
    }
}
