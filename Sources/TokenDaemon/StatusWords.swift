// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import TokenCore

/// What the service manager shows beside the daemon's name (`STATUS=`, sd_notify(3)).
enum StatusWords {
    /// How the daemon does, in one line: how many accounts there are, what keeps it from being well, and how it learns of
    /// changes. What stands first is seen first: that the last reload was refused, and a restart would be, too.
    static func running(
        _ tally: AccountTally,
        database: ServiceFacts.Database,
        isConfigurationRefused: Bool = false
    ) -> String {
        let words = running(tally, database)
        return isConfigurationRefused ? "Configuration NOT reloaded, see the log; \(words)" : words
    }

    private static func running(_ tally: AccountTally, _ database: ServiceFacts.Database) -> String {
        var parts = ["\(tally.total) \(tally.total == 1 ? "account" : "accounts")"]
        if tally.failing > 0 { parts.append("\(tally.failing) failing") }
        if tally.needingAPerson > 0 {
            parts.append("\(tally.needingAPerson) \(tally.needingAPerson == 1 ? "needs" : "need") a new grant")
        }
        if tally.withoutGrant > 0 { parts.append("\(tally.withoutGrant) without a grant") }
        if parts.count == 1 { parts.append(tally.total == 0 ? "nothing to do" : "all well") }
        if let reason = tally.stoppedFor { parts.insert("NO REFRESHES: \(reason)", at: 0) }
        if let trouble = database.journal.trouble { parts.append("journal: \(trouble)") }
        if let trouble = database.trouble {
            if database.journal.entries > 0 {
                parts.append("\(database.journal.entries) in the journal of this host only")
            }
            parts.append("database: \(trouble)")
        } else {
            parts.append(database.changes)
        }
        return parts.joined(separator: ", ")
    }

    /// Before the accounts are loaded.
    static func loading(databaseTrouble: String?) -> String {
        databaseTrouble.map { "Waiting for the database: \($0)" } ?? "Loading accounts"
    }

    /// While the configuration is read again.
    static let reloading = "Reading the configuration again"

    /// While refreshes in flight are finished.
    static let stopping = "Finishing refreshes in flight"
}
