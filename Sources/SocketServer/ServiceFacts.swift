// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What the status tells of the daemon besides its accounts.
package struct ServiceFacts: Sendable {
    /// How the database stands.
    package struct Database: Hashable, Sendable {
        /// Why it is out of reach, in words; nil while it is not.
        package let trouble: String?
        /// How changes are learnt of, in words.
        package let changes: String
        /// What this host keeps until the database has it.
        package let journal: JournalStanding

        /// Puts it together.
        package init(
            trouble: String?,
            changes: String,
            journal: JournalStanding = JournalStanding(entries: 0, trouble: nil)
        ) {
            self.trouble = trouble
            self.changes = changes
            self.journal = journal
        }
    }

    /// The daemon's version.
    package let version: String
    /// When it began.
    package let startedAt: WallTime
    /// How the database stands at the time of the call.
    package let database: @Sendable () -> Database

    /// Puts it together.
    package init(version: String, startedAt: WallTime, database: @escaping @Sendable () -> Database) {
        self.version = version
        self.startedAt = startedAt
        self.database = database
    }
}
