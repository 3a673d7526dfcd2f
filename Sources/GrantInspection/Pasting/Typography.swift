// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What documents, mails and shells put around a value.
enum Typography {
    /// Quotes, each with the one that ends it.
    static let pairs: [(Unicode.Scalar, Unicode.Scalar)] = [
        ("\"", "\""), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"),
    ]

    /// Whether a text stands in quotes.
    static func isQuoted(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return scalars.count >= 2 && pairs.contains { $0.0 == scalars.first && $0.1 == scalars.last }
    }

    /// Whether a scalar is a quote of any kind.
    static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        pairs.contains { $0.0 == scalar || $0.1 == scalar }
    }

    /// Whether nothing is seen of a scalar: white space, joiners, marks of order.
    static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
    }
}
