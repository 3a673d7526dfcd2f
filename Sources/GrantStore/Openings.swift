// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// Counts in one load how many rows can be opened. Where some cannot, a person has to mend those and the others go on; where
/// none can, the keys are wrong, and a start would do nothing but harm (hard case H20).
final class Openings: Sendable {
    private struct Count {
        var open = 0
        var closed = 0
        var reason: String?
    }

    private let count = Mutex(Count())

    /// Reads a row, as ``RowReading`` does at a glance, and counts it if there is anything to open.
    func row(_ row: PostgresRow, of user: UserID, _ columns: TokenColumns, _ clock: ServerClock?) -> GrantRow {
        let reading = RowReading(row, of: user, columns, clock, glances: true)
        count.withLock { count in
            if let reason = reading.closed {
                count.closed += 1
                count.reason = count.reason ?? reason
            } else if case .present = reading.row.grant {
                count.open += 1
            }
        }
        return reading.row
    }

    /// Why the load is worth nothing; nil if it is.
    var failure: StoreFailure? {
        count.withLock { count in
            guard count.open == 0, let reason = count.reason else { return nil }
            let words =
                "None of the \(count.closed) sealed rows can be opened; check encryption.mode and its keys, and tastytrade.env, to which JWE are bound."
            return StoreFailure(misconfigured: [words, "Of one of them: \(reason)"])
        }
    }
}
