// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Text from the server or from libpq, made fit to be logged and shown: bounded, on one line, without what may be a
/// secret.
enum SafeText {
    /// How many characters of a text are kept.
    static let limit = 300

    /// The longest text that is looked at; what lies beyond is dropped with the word it cuts.
    private static let inspected = 4096

    /// As long as this, a run of letters and digits may be a token; words and names of constraints are shorter or
    /// plain.
    private static let tokenLength = 32

    /// Hides the known secrets and whatever looks like a token, escapes control characters, and cuts to ``limit``.
    static func of(_ raw: String, hiding secrets: [Secret] = []) -> String {
        var text = raw
        // Shorter ones are no secrets, and replacing them would make the words unreadable.
        for secret in secrets where secret.reveal().utf8.count >= 4 {
            text = text.replacing(secret.reveal(), with: Secret.placeholder)
        }
        return bounded(escaped(withoutTokens(cut(text))))
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > inspected else { return text }
        let head = text.prefix(inspected)
        // A token that is cut in two may be too short to be recognised.
        return String(head[..<(head.lastIndex(of: " ") ?? head.startIndex)])
    }

    private static func withoutTokens(_ text: String) -> String {
        var result = ""
        var run = ""
        for character in text {
            if isTokenCharacter(character) {
                run.append(character)
            } else {
                result += looksLikeToken(run) ? Secret.placeholder : run
                result.append(character)
                run = ""
            }
        }
        return result + (looksLikeToken(run) ? Secret.placeholder : run)
    }

    private static func isTokenCharacter(_ character: Character) -> Bool {
        guard let byte = character.asciiValue else { return false }
        return switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "._~+=-".utf8.contains(byte)
        }
    }

    private static func looksLikeToken(_ run: String) -> Bool {
        run.utf8.count >= tokenLength && run.contains(where: \.isNumber) && run.contains(where: \.isLetter)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += scalar.escaped(asASCII: true)
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func bounded(_ text: String) -> String {
        text.count > limit ? text.prefix(limit - 1) + "…" : text
    }
}
