// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension LocalSeal {
    /// A seal for one purpose, such as `reply-journal`.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - purpose: what is sealed for another one does not open.
    package init(_ key: LockedBytes, purpose: String) {
        self.init(ColumnCipher.aes(key), purpose: purpose)
    }
}
