// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// How an application wants its columns sealed, as is seen from what stands in them: one that it searches by
/// (`deterministic: true`) it could not read if it were sealed otherwise. Of any row the same is true, so that the first one
/// that is read tells.
final class SealManners: Sendable {
    private let deterministic = Mutex<Set<ColumnPlace.Column>>([])

    /// A value was read that was sealed in that manner.
    func note(_ manner: SealManner, of column: ColumnPlace.Column) {
        guard manner == .deterministic else { return }
        _ = deterministic.withLock { $0.insert(column) }
    }

    /// The manner for a new value.
    subscript(column: ColumnPlace.Column) -> SealManner {
        deterministic.withLock { $0.contains(column) } ? .deterministic : .random
    }
}
