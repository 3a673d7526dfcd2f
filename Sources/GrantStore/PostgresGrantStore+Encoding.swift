// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Synchronization
import TokenCore

/// What is done about text that cannot be told in UTF-8, the encoding of all connections (see ``TextEncoding``).
extension PostgresGrantStore {
    /// Makes a pass over the table, and another at once if an id of it turned out to hold a character that UTF-8 lacks:
    /// rows with that one are passed over from then on. How many characters that can be has a bound.
    func withLegiblePlan<Value: Sendable>(
        _ call: (StorePlan) async throws(StoreFailure) -> Value
    ) async throws(StoreFailure) -> Value {
        while true {
            do throws(StoreFailure) {
                return try await withPlan(call)
            } catch {
                guard learn(from: error) else { throw error }
            }
        }
    }

    /// Says how many rows are left alone because of their ids, whenever there are other than before.
    func note(illegible count: Int, in plan: StorePlan) {
        guard illegible.exchange(count, ordering: .relaxed) != count, count > 0 else { return }
        listenSettings.logger.error(
            "rows are left alone: their ids cannot be told in UTF-8",
            metadata: [
                "rows": "\(count)", "table": "\(plan.columns.table)", "encoding": "\(plan.columns.encoding.name)",
                "event": "rows.illegible",
            ]
        )
    }
}
