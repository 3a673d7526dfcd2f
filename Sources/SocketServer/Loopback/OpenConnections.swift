// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// Counts the connections of a listener, for its cap.
final class OpenConnections: Sendable {
    private let most: Int
    private let count = Atomic<Int>(0)

    /// None are open.
    init(atMost most: Int) {
        self.most = most
    }

    /// Counts one more; false, and nothing is counted, if there are too many.
    func enter() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= most else {
            leave()
            return false
        }
        return true
    }

    /// One that was counted is gone.
    func leave() {
        count.subtract(1, ordering: .relaxed)
    }
}
