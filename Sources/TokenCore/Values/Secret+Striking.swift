// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension Secret {
    /// Shorter ones are no secrets, and striking them out would make the words around them unreadable.
    private static let leastBytes = 4
    /// From this length on, a run of the characters that tokens are made of may be a token, whoever's it is.
    private static let tokenRun = 32
    /// How many scalars of a text are looked at; the rest is dropped.
    private static let inspected = 4096

    /// The text with the placeholder in place of the secrets, and of whatever looks like a token: a server may quote
    /// one that is not the one sent, or part of it.
    package static func strike(_ secrets: [Secret], from text: String) -> String {
        // The longest first, since one secret may be the beginning of another.
        let known = secrets.map { Array($0.reveal().utf8) }.filter { $0.count >= leastBytes }
            .sorted { $0.count > $1.count }
        let bytes = known.reduce(Array(text.utf8)) { replacing($1, in: $0) }
        return withoutTokens(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }

    /// Compares bytes: to Swift, a letter with an accent behind it is another character than the letter alone.
    private static func replacing(_ secret: [UInt8], in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            if rest.starts(with: secret) {
                result += placeholder.utf8
                rest = rest.dropFirst(secret.count)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static func withoutTokens(_ text: String.UnicodeScalarView) -> String {
        var kept = ""
        var run = ""
        for scalar in text.prefix(inspected) {
            if isTokenCharacter(scalar) {
                run.unicodeScalars.append(scalar)
            } else {
                kept += shown(run)
                kept.unicodeScalars.append(scalar)
                run = ""
            }
        }
        guard !text.dropFirst(inspected).isEmpty else { return kept + shown(run) }
        // A token that is cut in two may be too short to be recognised.
        return kept + (run.isEmpty ? "…" : placeholder + "…")
    }

    private static func isTokenCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "~", "+", "=": true
        default: false
        }
    }

    private static func shown(_ run: String) -> String {
        run.utf8.count >= tokenRun && isMixed(run) ? placeholder : run
    }

    /// Words and the names of constraints may be long as well, but keep to one case and need no digits.
    private static func isMixed(_ run: String) -> Bool {
        run.contains(where: \.isNumber) || (run.contains(where: \.isUppercase) && run.contains(where: \.isLowercase))
    }
}
