// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Tells once when there are more accounts than the configured rate can keep fresh, and once when there no longer are.
struct CapacityWatch: Sendable {
    /// What is to be said.
    enum News: Hashable, Sendable {
        /// There are more accounts than can be kept fresh.
        case exceeded
        /// There is room again.
        case sufficient
    }

    private var isExceeded = false

    /// Looks at the numbers; nil if nothing changed since the last look.
    mutating func look(accounts: Int, capacity: Int) -> News? {
        guard isExceeded != (accounts > capacity) else { return nil }
        isExceeded.toggle()
        return isExceeded ? .exceeded : .sufficient
    }
}
