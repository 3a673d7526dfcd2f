// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Keeps on this host what must not be lost until the database has it (hard cases H1, H3, H4). Adapter: `ReplyJournal`.
///
/// An account has one entry at most, and a newer one takes the place of an older.
package protocol ReplyJournaling: Sendable {
    /// What the process before left open; called before anything else, and again if it failed.
    ///
    /// - Parameter now: the time by both clocks, from which the lives of tokens are counted on.
    /// - Returns: the entries in the order in which they were made, and what of the journal could not be read.
    /// - Throws: that it cannot be read. Nothing can be appended then either.
    func recover(at now: Moment) async throws(JournalFailure) -> RecoveredJournal

    /// Makes entries durable: when this returns they outlive the process, and the machine's loss of power.
    ///
    /// - Throws: that they are not, or not in time; then they may or may not be found by ``recover(at:)``.
    func append(_ entries: [JournalEntry]) async throws(JournalFailure)

    /// These accounts' entries are not needed any more. That need not be durable: what comes of an entry is the same if it is
    /// found again.
    func settle(_ users: [UserID])

    /// How it stands, at the time of the call.
    var standing: JournalStanding { get }
}

/// What about one account's refresh must outlive the process.
package struct JournalEntry: Hashable, Sendable {
    /// What there is to be known.
    package enum Content: Hashable, Sendable {
        /// A call is about to be made that may do away with the refresh token; nothing is known of its reply yet. With it, when the
        /// last refresh was whose token is in the row: another time there says that something came of a call.
        case intent(lastRefreshedAt: WallTime?)
        /// The reply brought a new refresh token.
        case answer(TokenAnswer)
        /// The reply was no good but for a new refresh token.
        case salvage(Secret)
    }

    /// Whose refresh.
    package let user: UserID
    /// The version of the refresh token that is sent, or was.
    package let usedVersion: Int64
    /// What there is to be known.
    package let content: Content

    /// Puts together what the engine knows.
    package init(user: UserID, usedVersion: Int64, _ content: Content) {
        self.user = user
        self.usedVersion = usedVersion
        self.content = content
    }
}

/// What was found in the journal at the start.
package struct RecoveredJournal: Hashable, Sendable {
    /// The entries that were not settled, in the order in which they were made.
    package let entries: [JournalEntry]
    /// What could not be read, in words, and where it was put aside; nil if all could be.
    package let damage: String?

    /// Puts together what was found.
    package init(entries: [JournalEntry] = [], damage: String? = nil) {
        self.entries = entries
        self.damage = damage
    }
}

/// How the journal stands.
package struct JournalStanding: Hashable, Sendable {
    /// How many accounts have an entry.
    package let entries: Int
    /// Why the last append failed; nil if it did not.
    package let trouble: String?

    /// Puts the two together.
    package init(entries: Int, trouble: String?) {
        self.entries = entries
        self.trouble = trouble
    }
}

/// Why the journal could not do what was asked of it.
package struct JournalFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened to which file; holds nothing of an entry.
    package let description: String

    /// Takes the words.
    package init(_ description: String) {
        self.description = description
    }
}
