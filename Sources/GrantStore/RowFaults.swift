// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Keeps one row that the database refuses from costing the others of its batch.
enum RowFaults {
    /// Runs a statement for a batch; if the database refuses it for a row's sake, the batch is halved until that row stands
    /// alone. Where another session was in the way in a manner that does not last, it is run once more.
    ///
    /// - Parameters:
    ///   - batch: what is to be written.
    ///   - run: writes some of it by one statement.
    ///   - refused: is told of a row that stands alone, and why it is refused.
    /// - Throws: what `run` throws for another reason than a row.
    static func isolating<Item>(
        in batch: [Item],
        run: ([Item]) throws(StoreError) -> Void,
        refused: (Item, StoreError) -> Void
    ) throws(StoreError) {
        guard let first = batch.first else { return }
        do throws(StoreError) {
            try repeating(batch, run)
        } catch  where error.reach == .row {
            guard batch.count > 1 else { return refused(first, error) }
            try isolating(in: Array(batch[..<(batch.count / 2)]), run: run, refused: refused)
            try isolating(in: Array(batch[(batch.count / 2)...]), run: run, refused: refused)
        }
    }

    private static func repeating<Item>(
        _ batch: [Item],
        _ run: ([Item]) throws(StoreError) -> Void
    ) throws(StoreError) {
        do throws(StoreError) {
            try run(batch)
        } catch  where error.isWorthRepeating {
            try run(batch)
        }
    }
}
