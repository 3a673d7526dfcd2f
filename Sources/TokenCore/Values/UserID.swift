// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Whose grant it is: the text of the application's id column, whatever that column's type (product.md, Socket API).
package struct UserID: Hashable, Sendable, CustomStringConvertible {
    /// The id as PostgreSQL prints it. Ids of up to 15 bytes live inside the value, without a heap object of their own.
    package let text: String

    /// Takes the id as PostgreSQL prints it, or as a caller wrote it after percent-decoding.
    package init(_ text: String) {
        self.text = text
    }

    /// The same text; an id is not a secret.
    package var description: String { text }
}

extension UserID {
    /// Byte for byte, as the database compares ids. Swift's own comparison of texts takes those for equal that differ only in
    /// how a character is composed, and would give one user another one's token.
    package static func == (left: UserID, right: UserID) -> Bool {
        var (left, right) = (left.text, right.text)
        return left.withUTF8 { left in
            right.withUTF8 { right in left.count == right.count && left.elementsEqual(right) }
        }
    }

    /// Of the bytes, for the same reason.
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
