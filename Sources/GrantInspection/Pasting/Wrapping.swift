// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What people copy along with a token, and is surely no part of it. In the order in which they are looked for: the outermost
/// first where two are usual.
enum Wrapping: CaseIterable {
    /// White space, and what cannot be seen, at either end.
    case space
    /// A JSON object with the member `refresh_token`, as the endpoint answers.
    case json
    /// A name before it: `refresh_token=…`, a line of JSON, of a shell or of YAML.
    case name
    /// `Bearer`, as before an access token in a header.
    case bearer
    /// One pair of quotes.
    case quotes

    /// What was found of it.
    enum Outcome: Hashable {
        /// The text is not wrapped so.
        case absent
        /// The text within.
        case inside(String)
        /// It is begun, and is not what it should be.
        case unclear(Flaw)
    }

    /// Why nothing can be taken out of a JSON object.
    enum Flaw: Hashable {
        /// It cannot be read: broken, or with two members of one name.
        case unreadable
        /// It has no member `refresh_token` that is a text.
        case withoutToken
    }

    /// Looks for it around a text.
    func unwrap(_ text: String) -> Outcome {
        switch self {
        case .space: Self.outcome(Self.trimmed(text[...]), of: text)
        case .json: Self.member(of: text)
        case .name: Self.outcome(Self.value(of: text), of: text)
        case .bearer: Self.outcome(Self.withoutBearer(text), of: text)
        case .quotes: Self.outcome(Self.unquoted(text), of: text)
        }
    }

    /// The note on what was taken off.
    var note: Finding {
        switch self {
        case .space:
            Finding(
                .trimmedSpace,
                "White space, or characters that cannot be seen, stood around the value.",
                remedy: Self.nothing
            )
        case .json:
            Finding(
                .takenFromJSON,
                "The value was a JSON object, and its member refresh_token was taken.",
                remedy: "Nothing to do: the rest was left out."
            )
        case .name:
            Finding(.trimmedName, "The name refresh_token stood before the value.", remedy: Self.nothing)
        case .bearer:
            Finding(
                .trimmedBearer,
                "The word Bearer stood before the value, as it does before access tokens.",
                remedy: "Nothing to do, if it is a refresh token: the word was left out."
            )
        case .quotes:
            Finding(.trimmedQuotes, "The value stood in quotes.", remedy: Self.nothing)
        }
    }

    private static let nothing = "Nothing to do: it was left out."

    private static func outcome(_ inside: Substring?, of text: String) -> Outcome {
        guard let inside, inside.unicodeScalars.count < text.unicodeScalars.count else { return .absent }
        return .inside(String(inside))
    }
}

extension Wrapping {
    /// The longest name, in bytes: `TASTYTRADE_OAUTH_REFRESH_TOKEN` and more.
    private static let nameLimit = 64

    /// Compares scalars: to Swift, a letter with an accent behind it is another character than the letter alone.
    private static func trimmed(_ text: Substring) -> Substring {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !Typography.isUnseen($0) }),
            let last = scalars.lastIndex(where: { !Typography.isUnseen($0) })
        else { return text.prefix(0) }
        return Substring(scalars[first...last])
    }

    private static func unquoted(_ text: String) -> Substring? {
        Typography.isQuoted(text) ? Substring(text.unicodeScalars.dropFirst().dropLast()) : nil
    }

    private static func withoutBearer(_ text: String) -> Substring? {
        let word = "bearer"
        let scalars = text.unicodeScalars
        guard text.utf8.prefix(word.utf8.count).map(lowercased).elementsEqual(word.utf8) else { return nil }
        let rest = scalars.dropFirst(word.utf8.count)
        guard let first = rest.first, first.properties.isWhitespace else { return nil }
        return trimmed(Substring(rest))
    }

    /// What stands behind a name that ends in `refresh_token`. A comma or semicolon at the end of such a line is none of the
    /// value's.
    private static func value(of text: String) -> Substring? {
        let scalars = text.unicodeScalars
        guard let sign = scalars.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
        let quoted = trimmed(Substring(scalars[..<sign]))
        let name = unquoted(String(quoted)) ?? quoted
        guard name.utf8.count <= nameLimit, isName(name) else { return nil }
        let value = trimmed(Substring(scalars[scalars.index(after: sign)...]))
        return value.hasSuffix(",") || value.hasSuffix(";") ? value.dropLast() : value
    }

    private static func isName(_ text: Substring) -> Bool {
        let letters = text.utf8.map(lowercased).filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
        return letters.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            && String(decoding: letters, as: UTF8.self).hasSuffix("refreshtoken")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Begins as an object: no token does.
    private static func member(of text: String) -> Outcome {
        guard text.utf8.first == UInt8(ascii: "{") else { return .absent }
        guard let fields = JSONFields(Array(text.utf8)) else { return .unclear(.unreadable) }
        guard let token = fields.text("refresh_token") else { return .unclear(.withoutToken) }
        return .inside(token)
    }
}
