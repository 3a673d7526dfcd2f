// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Closes secrets that are kept in memory for long, so that they do not lie there in clear. Made by `TokenCipher`.
package struct MemorySeal: Sendable {
    /// Closes a secret; nil if that failed.
    package let close: @Sendable (Secret) -> [UInt8]?
    /// Opens what `close` gave; nil for anything else.
    package let open: @Sendable ([UInt8]) -> Secret?

    /// Puts the two together.
    package init(close: @escaping @Sendable (Secret) -> [UInt8]?, open: @escaping @Sendable ([UInt8]) -> Secret?) {
        self.close = close
        self.open = open
    }
}
