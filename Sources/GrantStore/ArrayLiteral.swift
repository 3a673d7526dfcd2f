// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The text form of PostgreSQL's one-dimensional arrays (manual, section 8.15.6), in which lists travel as parameters.
enum ArrayLiteral {
    /// Every text quoted, so that none can be taken for `NULL` or for syntax; nil is NULL.
    static func of(texts: some Sequence<String?>) -> String {
        joined(texts.lazy.map { $0.map(quoted) })
    }

    /// Numbers as they are; nil is NULL.
    static func of(integers: some Sequence<Int64?>) -> String {
        joined(integers.lazy.map { $0.map { String($0) } })
    }

    private static func joined(_ elements: some Sequence<String?>) -> String {
        var literal = "{"
        for (index, element) in elements.enumerated() {
            if index > 0 { literal += "," }
            literal += element ?? "NULL"
        }
        return literal + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
