// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Takes names apart as PostgreSQL does (PostgreSQL manual, section 4.1.1), so that what passes can stand in a
/// statement.
enum SQLName {
    /// The parts of a name with dots between them, each without its quotes and, where it had none, in lower case; nil
    /// if it is not such a name.
    static func parts(of text: String) -> [String]? {
        var rest = Substring(text)
        var parts: [String] = []
        while true {
            guard let part = rest.first == "\"" ? quoted(&rest) : plain(&rest) else { return nil }
            parts.append(part)
            guard let separator = rest.popFirst() else { return parts }
            guard separator == "." else { return nil }
        }
    }

    private static func plain(_ rest: inout Substring) -> String? {
        guard let first = rest.unicodeScalars.first, isLetter(first) else { return nil }
        let part = rest.prefix { character in
            character.unicodeScalars.allSatisfy { isLetter($0) || ("0"..."9").contains($0) || $0 == "$" }
        }
        rest = rest.dropFirst(part.count)
        return part.lowercased()
    }

    private static func quoted(_ rest: inout Substring) -> String? {
        rest.removeFirst()
        var part = ""
        while let character = rest.popFirst() {
            if character == "\"" {
                guard rest.first == "\"" else { return part.isEmpty ? nil : part }
                rest.removeFirst()
            }
            guard character != "\0", !character.isNewline else { return nil }
            part.append(character)
        }
        return nil
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || scalar.value >= 0xA0
    }
}
