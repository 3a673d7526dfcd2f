// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Makes text from outside fit to be logged and shown: bounded, on one line, and without what must stay secret.
enum SafeText {
    /// The longest prose, in characters.
    static let proseLimit = 200
    /// The longest code, in characters.
    static let codeLimit = 64
    /// From this length on, a run of token characters is taken for a token, whoever's it is.
    static let tokenRun = 32

    /// The text, without the secrets and without anything that looks like a token, escaped and bounded.
    static func make(_ text: String, limit: Int, hiding secrets: [Secret]) -> String {
        var text = text
        for secret in secrets where !secret.isEmpty {
            text = text.replacing(secret.reveal(), with: Secret.placeholder)
        }
        return escape(withoutTokens(text), limit: limit)
    }

    /// The text with everything but visible characters and spaces escaped, cut at the limit.
    static func escape(_ text: String, limit: Int) -> String {
        var escaped = ""
        var length = 0
        for scalar in text.unicodeScalars {
            let piece = isPrintable(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
            length += piece.unicodeScalars.count
            guard length <= limit else { return escaped + "…" }
            escaped += piece
        }
        return escaped
    }

    /// Blanks long runs of the characters that tokens are made of: a server may quote a token that is not the one sent,
    /// or part of it.
    private static func withoutTokens(_ text: String) -> String {
        var kept = ""
        var run = ""
        for scalar in text.unicodeScalars {
            if isTokenCharacter(scalar) {
                run.unicodeScalars.append(scalar)
            } else {
                kept += shown(run)
                kept.unicodeScalars.append(scalar)
                run = ""
            }
        }
        return kept + shown(run)
    }

    private static func shown(_ run: String) -> String {
        run.utf8.count >= tokenRun ? Secret.placeholder : run
    }

    private static func isTokenCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "~", "+", "=": true
        default: false
        }
    }

    /// Letters, marks, digits, punctuation, symbols, and the plain space. Not a backslash, or escapes could be forged;
    /// not formatting characters, which turn the direction of a line.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: scalar != "\\"
        }
    }
}
