// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A first word that is no command: the argument parser would only complain of what stands behind it.
struct UnknownCommand: Equatable {
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

    /// The only command that begins so, or else the one that is spelt most like it.
    private static func nearest(to word: String, among commands: [String]) -> String? {
        let begun = commands.filter { !word.isEmpty && $0.hasPrefix(word) }
        return begun.count == 1 ? begun.first : Spelling.nearest(to: word, among: commands)
    }
}
