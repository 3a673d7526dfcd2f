// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A failure as the connection sees it: what the port tells of it, and how far it reaches.
struct StoreError: Error, Sendable {
    /// How much of what was under way the failure takes with it.
    enum Reach: Sendable {
        /// One row's fault (a constraint, a trigger of the application); the same statement without that row may work.
        case row
        /// The statement failed; the connection is as good as before.
        case statement
        /// The connection cannot be used any more.
        case connection
    }

    /// What the port tells.
    let failure: StoreFailure
    /// How far it reaches.
    let reach: Reach

    /// Puts a failure together that was noticed on this side.
    init(_ kind: StoreFailure.Kind, sqlState: String? = nil, reach: Reach, text: String) {
        self.failure = StoreFailure(kind, sqlState: sqlState, text: text, isOutOfReach: reach == .connection)
        self.reach = reach
    }

    /// The table is not as the configuration says, for one reason or several; a sentence each.
    init(misconfigured complaints: [String]) {
        self.failure = StoreFailure(misconfigured: complaints)
        self.reach = .statement
    }

    /// Reads what the server said of a statement.
    init(_ report: ServerReport, statement: String, hiding secrets: [Secret]) {
        let words = SafeText(foreign: report.message, hiding: secrets, toBytes: SafeText.remarkLimit)
        let constraint = report.constraint.map { ", constraint \(SafeText(foreign: $0))" } ?? ""
        self.init(
            Self.kind(of: report.sqlState),
            sqlState: report.sqlState,
            reach: Self.reach(of: report),
            text: "The statement '\(statement)' failed: \(words)\(constraint)"
        )
    }

    /// Whether the same statement, sent again at once, may well go through (serialization, deadlock).
    var isWorthRepeating: Bool {
        failure.sqlState.map { $0 == "40001" || $0 == "40P01" } ?? false
    }

    /// Whether the server ended the statement because it took too long (`statement_timeout`).
    var isOverrun: Bool { failure.sqlState == "57014" }

    /// Whether the wait for a lock was given up (`lock_timeout`, `NOWAIT`).
    var isLockWait: Bool { failure.sqlState == "55P03" }

    /// Whether what was named is not there (a foreign key).
    var isForeignKeyViolation: Bool { failure.sqlState == "23503" }
}

/// What a server's error message says, as far as it is safe to look at: never its detail, which quotes whole rows.
struct ServerReport: Sendable {
    /// SQLSTATE; five characters.
    let sqlState: String
    /// The primary message, as it came.
    let message: String
    /// The constraint that was violated.
    let constraint: String?
    /// Whether a function was at work when it happened, as in a trigger.
    let isRaisedInFunction: Bool
}

extension StoreError {
    /// What follows from a SQLSTATE (PostgreSQL manual, appendix A).
    static func kind(of sqlState: String) -> StoreFailure.Kind {
        switch sqlState {
        case "57014", "55P03": return .timeout
        // A standby, or a primary that is about to become one: the next connection may reach the new primary.
        case "25006", "25P03": return .unavailable
        default: break
        }
        return switch sqlState.prefix(2) {
        case "08", "40", "53", "57", "58": .unavailable
        case "0A", "28", "3D", "3F", "42": .misconfigured
        default: .refused
        }
    }

    private static func reach(of report: ServerReport) -> Reach {
        switch report.sqlState {
        case "25006", "25P03", "57P01", "57P02", "57P03", "57P04", "57P05": return .connection
        // Two rows of one id: the others of the batch have one each.
        // Too much for one row: an id that fits into no index.
        case "21000", "54000": return .row
        default: break
        }
        return switch report.sqlState.prefix(2) {
        case "08": .connection
        case "09", "22", "23", "27", "2F", "38", "39", "44", "P0": .row
        // A trigger that is broken for one row fails with the codes of a broken statement.
        case "0A", "21", "42": report.isRaisedInFunction ? .row : .statement
        default: .statement
        }
    }
}
