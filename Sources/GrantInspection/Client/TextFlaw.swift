// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What no client id, secret or address has in it, and what copying brings along.
enum TextFlaw: Hashable {
    /// White space or what cannot be seen at an end.
    case spaceAround
    /// White space or a line break elsewhere.
    case spaceWithin
    /// Quotes around it, or at one end.
    case quotes
    /// Characters that are not visible ASCII.
    case otherCharacters

    /// The first that is found in a text; nil if it is clean.
    init?(in text: String) {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return nil }
        if Typography.isUnseen(first) || Typography.isUnseen(last) {
            self = .spaceAround
        } else if scalars.contains(where: \.properties.isWhitespace) {
            self = .spaceWithin
        } else if Typography.isQuote(first) || Typography.isQuote(last) {
            self = .quotes
        } else if scalars.contains(where: { !(0x21...0x7E).contains($0.value) }) {
            self = .otherCharacters
        } else {
            return nil
        }
    }

    /// What is wrong, behind the name of what has it: `The client id …`.
    var words: String {
        switch self {
        case .spaceAround: "begins or ends with white space, or with characters that cannot be seen"
        case .spaceWithin: "has white space or a line break in it"
        case .quotes: "begins or ends with a quote"
        case .otherCharacters:
            "holds characters that are no plain letters, digits or signs, perhaps such as cannot be seen"
        }
    }
}
