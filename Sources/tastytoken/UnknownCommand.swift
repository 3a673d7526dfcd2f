// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A first word that is no command: the argument parser would only complain of what stands behind it.
struct UnknownCommand: Equatable {
    /// Letters that may be added, removed or changed in a command's name for it to be recognised.
    static let tolerance = 2

    private let written: String
    private let meant: String?

    /// Looks at a command line without the program's name; nil if it begins with a command, with an option, or with nothing.
    init?(in arguments: ArraySlice<String>, knowing commands: [String]) {
        guard let first = arguments.first, !first.hasPrefix("-"), !commands.contains(first) else { return nil }
        self.written = first
        self.meant = Self.nearest(to: first, among: commands)
    }

    /// What happened, and what to do.
    var failure: Failure {
        let advice = meant.map { ": did you mean \($0)?" } ?? "; see tastytoken --help."
        return Failure(.usage, "there is no command \(Failure.shown(written))\(advice)")
    }

    /// The only command that begins so, or else the one that is fewest letters away, if it is near enough.
    private static func nearest(to word: String, among commands: [String]) -> String? {
        guard word.utf8.count <= 32 else { return nil }
        let begun = commands.filter { !word.isEmpty && $0.hasPrefix(word) }
        if begun.count == 1 { return begun.first }
        let ranked = commands.map { (name: $0, distance: distance(Array(word), Array($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= tolerance && best.distance < word.count ? best.name : nil
    }

    /// How many letters must be added, removed or changed (Levenshtein's distance), row by row.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (line, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in right.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
