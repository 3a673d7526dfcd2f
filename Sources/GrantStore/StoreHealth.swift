// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// How the store stands, for status lines; it changes by itself as calls succeed and fail.
package struct StoreHealth: Hashable, Sendable {
    /// Whether the last thing that each connection did went well, and one of them was used at all.
    package let isConnected: Bool
    /// Why not, in words that are safe to show.
    package let lastFailure: String?
    /// Until then calls fail without asking the database; nil while it is not backed off from.
    package let nextAttemptAt: BootTime?

    /// Puts together what is known.
    package init(isConnected: Bool, lastFailure: String?, nextAttemptAt: BootTime?) {
        self.isConnected = isConnected
        self.lastFailure = lastFailure
        self.nextAttemptAt = nextAttemptAt
    }

    /// How several connections stand together: as well as the worst of those that were used.
    init(of all: [StoreHealth]) {
        let failing = all.first { $0.lastFailure != nil }
        self.init(
            isConnected: failing == nil && all.contains(where: \.isConnected),
            lastFailure: failing?.lastFailure,
            nextAttemptAt: all.compactMap(\.nextAttemptAt).max()
        )
    }
}
