// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// What the daemon says of itself, as far as `doctor` reads it.
struct HouseSummary: Decodable, Equatable {
    struct Accounts: Decodable, Equatable {
        let total: Int
        let healthy: Int
    }
    struct Refreshes: Decodable, Equatable {
        let stopped: String?
        let unstored: Int?
    }
    struct Database: Decodable, Equatable {
        let trouble: String?
        let changes: String?
    }
    struct Journal: Decodable, Equatable {
        let entries: Int
        let trouble: String?
    }

    let version: String
    let ready: Bool
    let accounts: Accounts
    let refreshes: Refreshes?
    let capacityAccounts: Int?
    let database: Database?
    let journal: Journal?

    private enum CodingKeys: String, CodingKey {
        case version, ready, accounts, refreshes, database, journal
        case capacityAccounts = "capacity_accounts"
    }
}

/// A line for each thing that there is to say of it.
struct HouseLines {
    /// The lines, in the order in which one would look.
    let lines: [VerdictLine]

    /// Says what a summary means.
    ///
    /// - Parameters:
    ///   - summary: what the daemon told.
    ///   - tool: this program's version.
    init(_ summary: HouseSummary, tool: String) {
        lines = [
            Self.version(summary, tool), Self.readiness(summary), Self.database(summary), Self.journal(summary),
            Self.refreshes(summary), Self.capacity(summary),
        ].compactMap { $0 }
    }

    private static func version(_ summary: HouseSummary, _ tool: String) -> VerdictLine {
        summary.version == tool
            ? VerdictLine(.ok, "version", "The daemon and this tool are both \(tool).")
            : VerdictLine(
                .warn,
                "version",
                "The daemon is \(summary.version), and this tool \(tool).",
                remedy: "If the daemon was upgraded, restart it: systemctl restart tastytokend."
            )
    }

    private static func readiness(_ summary: HouseSummary) -> VerdictLine {
        summary.ready
            ? VerdictLine(
                .ok,
                "ready",
                "All \(summary.accounts.total) accounts are loaded, \(summary.accounts.healthy) of them healthy."
            )
            : VerdictLine(
                .fail,
                "ready",
                "Not every account is loaded yet.",
                remedy: summary.database?.trouble == nil ? "Wait: it goes on by itself." : "See to the database first.",
                mayPass: true
            )
    }

    private static func database(_ summary: HouseSummary) -> VerdictLine? {
        guard let database = summary.database else { return nil }
        guard let trouble = database.trouble else {
            return VerdictLine(.ok, "database", "It answers." + (database.changes.map { " Changes: \($0)." } ?? ""))
        }
        return VerdictLine(
            .fail,
            "database",
            "It is in trouble: \(trouble).",
            remedy: "See to the database; the daemon tries again by itself. tastytokend check says more.",
            mayPass: true
        )
    }

    private static func journal(_ summary: HouseSummary) -> VerdictLine? {
        guard let journal = summary.journal else { return nil }
        if let trouble = journal.trouble {
            return VerdictLine(
                .fail,
                "journal",
                "It cannot be written: \(trouble).",
                remedy: "See to the folder of journal.path: space, owner, a read-only file system."
            )
        }
        guard journal.entries > 0 else { return nil }
        return VerdictLine(
            .note,
            "journal",
            "\(journal.entries) answers of TastyTrade are kept on this host, because the database does not have them yet.",
            remedy: "If the number stays, see to the database, and do not delete the folder of journal.path."
        )
    }

    private static func refreshes(_ summary: HouseSummary) -> VerdictLine? {
        summary.refreshes?.stopped.map { why in
            VerdictLine(
                .fail,
                "refreshes",
                "Refreshes are stopped, apart from an occasional trial: \(why).",
                remedy:
                    "See what the words name: client secret, network, or TastyTrade itself. tastytokend check looks at all three.",
                mayPass: true
            )
        }
    }

    private static func capacity(_ summary: HouseSummary) -> VerdictLine? {
        guard let capacity = summary.capacityAccounts, capacity > 0, summary.accounts.total > capacity else {
            return nil
        }
        return VerdictLine(
            .warn,
            "capacity",
            "There are \(summary.accounts.total) accounts, and refresh.maxPerSecond keeps \(capacity) fresh.",
            remedy: "Raise refresh.maxPerSecond, as far as TastyTrade lets you."
        )
    }
}
