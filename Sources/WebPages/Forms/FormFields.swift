// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What a form holds, read strictly (URL Standard, section 5.1): nothing is guessed, and no field comes twice.
struct FormFields: Hashable {
    /// The largest body, in bytes: the longest text that is looked at as a grant, each byte of it written as three, is more, but
    /// none that long is a grant.
    static let bodyLimit = 65_536
    /// How many fields there may be.
    static let fieldLimit = 32

    private let values: [String: String]

    /// Reads the body of a request, or the query of an address.
    ///
    /// - Parameter bytes: as they came.
    /// - Throws: why they are no form.
    init(_ bytes: some Collection<UInt8>) throws(FormFlaw) {
        guard bytes.count <= Self.bodyLimit else { throw .tooLarge }
        var values: [String: String] = [:]
        for pair in bytes.split(separator: UInt8(ascii: "&"), maxSplits: Self.fieldLimit) {
            guard values.count < Self.fieldLimit else { throw .tooManyFields }
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0])
            // A name alone has the empty value. What others append is none of our business (RFC 6749 section 4.1.2).
            let value = parts.count == 2 ? try Self.decoded(parts[1]) : ""
            guard !name.isEmpty, values.updateValue(value, forKey: name) == nil else {
                throw .twice
            }
        }
        self.values = values
    }

    /// The value of a field; empty where there is none, as of a field that nobody filled in.
    subscript(_ name: String) -> String { values[name] ?? "" }

    /// Whether there is such a field, though it be empty.
    func contains(_ name: String) -> Bool { values[name] != nil }

    /// The value of a field as it stands, since an id may have white space at its ends; nil where it has nothing else.
    func verbatim(_ name: String) -> String? {
        self[name].allSatisfy(\.isWhitespace) ? nil : self[name]
    }

    /// The value of a field without white space around it; nil where nothing is left.
    func trimmed(_ name: String) -> String? {
        let text = self[name]
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return nil }
        return String(text[first...last])
    }

    /// Whether the form carries along what its page gave it; compared in a time that does not tell how much of it is right.
    ///
    /// - Parameter token: what the page gave it.
    /// - Returns: whether it does.
    func carries(_ token: String) -> Bool {
        let (left, right) = (Array(self["form_token"].utf8), Array(token.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func decoded(_ bytes: some Collection<UInt8>) throws(FormFlaw) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else {
                    throw .badEscape
                }
                result.append(high << 4 | low)
            case 0x21...0x7E: result.append(byte)
            // A browser escapes everything else.
            default: throw .badEscape
            }
        }
        guard let text = String(validating: result, as: UTF8.self), !result.contains(0) else { throw .notText }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension FormFields: CustomStringConvertible, CustomReflectable {
    /// The names alone: among the values are secrets.
    var description: String { "fields \(values.keys.sorted().joined(separator: ", "))" }

    /// A mirror without children, so that reflection finds nothing.
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why bytes are no form.
enum FormFlaw: String, Error, Hashable {
    /// More bytes than any form here has.
    case tooLarge
    /// More fields than any form here has.
    case tooManyFields
    /// A field without a name, or the second of its name.
    case twice
    /// A byte that has to be escaped, or an escape that is none.
    case badEscape
    /// Not UTF-8, or with a zero byte, which no value has and the database does not take.
    case notText
}
