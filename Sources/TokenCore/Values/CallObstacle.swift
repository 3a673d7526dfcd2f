// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why no call of the endpoint may be made for a client at the moment, whoever wants it.
package struct CallObstacle: Hashable, Sendable {
    /// In words, without a full stop.
    package let reason: String
    /// How long it lasts at least.
    package let wait: Duration

    /// Puts it together.
    package init(reason: String, wait: Duration) {
        self.reason = reason
        self.wait = wait
    }
}
