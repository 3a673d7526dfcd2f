// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Finds the name that somebody probably meant: of a setting, of a command.
package enum Spelling {
    /// The name nearest to what was written, if it is near enough to be meant: the same but for case, dashes and
    /// underscores, or at most a third of its letters away.
    package static func nearest(to written: String, among names: [String]) -> String? {
        let folded = fold(written)
        guard folded.count <= 64 else { return nil }
        let ranked = names.map { (name: $0, distance: distance(folded, fold($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, folded.count / 3) ? best.name : nil
    }

    private static func fold(_ name: String) -> [Character] {
        name.lowercased().filter { $0 != "_" && $0 != "-" }
    }

    /// How many letters must be added, removed, changed, or put before their neighbour (the distance of optimal string
    /// alignment), row by row.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for (line, letter) in left.enumerated() {
            var row = [line + 1]
            for (column, other) in right.enumerated() {
                let change = rows[line][column] + (letter == other ? 0 : 1)
                var least = min(change, rows[line][column + 1] + 1, row[column] + 1)
                if line > 0, column > 0, letter == right[column - 1], left[line - 1] == other {
                    least = min(least, rows[line - 1][column - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
