// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Seals records that are kept in files of this host. Made by `TokenCipher`.
package struct RecordSeal: Sendable {
    /// Seals a record for a place, and overwrites the bytes; nil if that failed.
    package let seal: @Sendable (_ record: inout [UInt8], _ place: [UInt8]) -> [UInt8]?
    /// Opens what was sealed for that place; nil for anything else.
    package let open: @Sendable (_ sealed: [UInt8], _ place: [UInt8]) -> [UInt8]?

    /// Puts the two together.
    package init(
        seal: @escaping @Sendable (_ record: inout [UInt8], _ place: [UInt8]) -> [UInt8]?,
        open: @escaping @Sendable (_ sealed: [UInt8], _ place: [UInt8]) -> [UInt8]?
    ) {
        self.seal = seal
        self.open = open
    }
}
