// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Whether the daemon has a place for what it remembers itself.
package enum OwnSchema: Hashable, Sendable {
    /// Schema `tastytokend` is there, at this version.
    case present(version: Int)
    /// It cannot be used; the store works without memory across restarts. The text says why and what would help.
    case absent(reason: String)

    /// Whether it is there.
    package var isPresent: Bool {
        if case .present = self { true } else { false }
    }
}
