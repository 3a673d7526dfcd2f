// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore
import Yams

/// Reads YAML in which keys may stand twice. The parser gives up at the first of them; but whoever mends a file wants to
/// know everything else that is wrong with it as well.
///
/// So a key that stands twice is given another name at its first place, and the text is parsed again.
struct DuplicateKeys {
    /// One key that stands twice in its section.
    struct Finding: Hashable {
        /// The names, as they are written.
        let names: [String]
        /// The line of the first.
        let line: Int
    }

    /// What stands before the name of a key that was renamed; nobody has a key that begins so.
    private static let mark = "tastytokend-stands-twice-"
    /// So many are told of one file; the parser reads it again for each.
    private static let limit = 32

    /// The document; nil for an empty one.
    private(set) var root: Node?
    /// The keys that stand twice, in the order in which the parser found them.
    private(set) var findings: [Finding] = []

    /// Parses a text. Throws what the parser throws of any other mistake.
    init(parsing text: String) throws {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while true {
            do {
                // The encoding is named because the parser would ask the process's environment for it.
                root = try Parser(yaml: lines.joined(separator: "\n"), encoding: .utf8).singleRoot()
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) where findings.count < Self.limit {
                findings.append(Finding(names: names.map(Self.name(ofKey:)), line: context.mark.line))
                guard Self.rename(at: context.mark, in: &lines) else { return }
            }
        }
    }

    /// The name that a key has in the file.
    static func name(ofKey key: String) -> String {
        key.hasPrefix(mark) ? String(key.dropFirst(mark.count).drop { $0 != "-" }.dropFirst()) : key
    }

    /// Puts the mark, with the column that makes it the only one of its line, before a key; behind its quote if it has one.
    private static func rename(at place: Mark, in lines: inout [String]) -> Bool {
        guard lines.indices.contains(place.line - 1) else { return false }
        var scalars = Array(lines[place.line - 1].unicodeScalars)
        var index = place.column - 1
        guard scalars.indices.contains(index), !["&", "!", "*", "?"].contains(scalars[index]) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        scalars.insert(contentsOf: "\(mark)\(place.line)x\(place.column)-".unicodeScalars, at: index)
        lines[place.line - 1] = String(String.UnicodeScalarView(scalars))
        return true
    }
}
