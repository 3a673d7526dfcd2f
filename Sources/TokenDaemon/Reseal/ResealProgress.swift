// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How far a run is.
package struct ResealProgress: Hashable, Sendable, CustomStringConvertible {
    /// What it does.
    package enum Stage: Hashable, Sendable {
        /// Counts.
        case counting
        /// Seals.
        case sealing
        /// Waits for rows that are in use.
        case waiting
        /// Waits for the database.
        case away
    }

    /// What it does.
    package let stage: Stage
    /// Rows looked at, or waited for.
    var rows: Int
    /// Rows there are; nil if that is not known.
    let total: Int?
    /// Rows that were sealed anew.
    var sealed = 0

    init(_ stage: Stage, rows: Int, of total: Int? = nil) {
        self.stage = stage
        self.rows = rows
        self.total = total
    }

    /// In a line.
    package var description: String {
        switch stage {
        case .counting: "\(rows.of("row")) counted"
        case .sealing:
            "\(rows)\(total.map { " of \(max($0, rows))" } ?? "") rows looked at, \(sealed) sealed anew"
        case .waiting: "\(rows.of("row")) in use, waited for"
        case .away: "the database is away or slow, waited for"
        }
    }
}
