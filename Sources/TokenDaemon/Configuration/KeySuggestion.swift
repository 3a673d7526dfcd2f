// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Finds the key that somebody probably meant.
enum KeySuggestion {
    /// The name nearest to what was written, if it is near enough to be meant: the same but for case, dashes and
    /// underscores, or at most a third of its letters away.
    static func nearest(to written: String, among names: [String]) -> String? {
        let folded = fold(written)
        guard folded.count <= 64 else { return nil }
        let ranked = names.map { (name: $0, distance: distance(folded, fold($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, folded.count / 3) ? best.name : nil
    }

    private static func fold(_ name: String) -> [Character] {
        name.lowercased().filter { $0 != "_" && $0 != "-" }
    }

    /// How many letters must be added, removed or changed (Levenshtein), row by row.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (line, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in right.indices {
                let change = diagonal + (letter == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
