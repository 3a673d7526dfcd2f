// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A name as SQL spells it (PostgreSQL manual, section 4.1.1), taken from the configuration and quoted anew wherever it
/// is used, so that nothing but a name can come of it.
struct SQLIdentifier: Hashable, Sendable {
    /// The name as the catalogue has it.
    let name: String

    /// Takes a name from the catalogue.
    init(catalogue name: String) {
        self.name = name
    }

    /// The name between quotation marks.
    var quoted: String {
        var result = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { result.unicodeScalars.append(scalar) }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// PostgreSQL cuts longer names short with no more than a notice; in bytes.
    private static let longest = 63

    /// Reads names separated by points, as `app.users` or `app."My Users"`.
    ///
    /// - Returns: between one name and `limit` names.
    static func path(_ text: String, atMost limit: Int) throws(SQLIdentifierError) -> [SQLIdentifier] {
        var rest = text[...]
        var names = [try next(&rest)]
        while !rest.isEmpty {
            guard rest.removeFirst() == "." else { throw .trailing }
            guard names.count < limit else { throw .tooManyParts(limit) }
            names.append(try next(&rest))
        }
        return names
    }

    private static func next(_ rest: inout Substring) throws(SQLIdentifierError) -> SQLIdentifier {
        let name = rest.first == "\"" ? try quotedName(&rest) : plainName(&rest)
        guard !name.isEmpty else { throw rest.isEmpty ? .empty : .trailing }
        guard name.utf8.count <= longest else { throw .tooLong(longest) }
        return SQLIdentifier(catalogue: name)
    }

    private static func quotedName(_ rest: inout Substring) throws(SQLIdentifierError) -> String {
        rest.removeFirst()
        var name = ""
        while let character = rest.popFirst() {
            guard character != "\0" else { throw .trailing }
            guard character == "\"" else {
                name.append(character)
                continue
            }
            guard rest.first == "\"" else { return name }
            name.append(rest.removeFirst())
        }
        throw .unterminated
    }

    /// Folded to lower case as the server does it: ASCII letters only.
    private static func plainName(_ rest: inout Substring) -> String {
        var name = ""
        while let character = rest.first, isPlain(character, isFirst: name.isEmpty) {
            name += character.isASCII ? character.lowercased() : String(character)
            rest.removeFirst()
        }
        return name
    }

    private static func isPlain(_ character: Character, isFirst: Bool) -> Bool {
        guard character.isASCII else { return character.isLetter }
        return character.isLetter || character == "_" || (!isFirst && (character.isNumber || character == "$"))
    }
}

/// Why a text is not a name.
enum SQLIdentifierError: Error, Equatable, CustomStringConvertible {
    /// Nothing where a name should be.
    case empty
    /// A quotation mark opens and none closes.
    case unterminated
    /// Something that belongs to no name.
    case trailing
    /// More bytes than PostgreSQL keeps of a name.
    case tooLong(Int)
    /// More points than there may be.
    case tooManyParts(Int)

    /// Why, in words that follow the text.
    var description: String {
        switch self {
        case .empty: "a name is missing"
        case .unterminated: "a quotation mark is not closed"
        case .trailing: "it holds a character that needs quotation marks around its name"
        case .tooLong(let limit): "a name is longer than \(limit) bytes"
        case .tooManyParts(1): "a single name is wanted, without a point"
        case .tooManyParts(let limit): "at most \(limit) names are wanted, as in schema.table"
        }
    }
}
