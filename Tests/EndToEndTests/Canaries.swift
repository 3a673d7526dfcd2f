// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// Values that must not come out, looked for in every form in which they might.
struct Canaries: Sendable {
    /// How much of a value tells it, in characters: a text that was cut must not hide one.
    private static let half = 12

    private(set) var values: Set<String> = []

    /// A new value of a kind, with characters that URLs, forms and JSON write otherwise. Its kind can be read off its beginning.
    mutating func make(_ kind: String) -> String {
        let digits = UUID().uuidString.replacing("-", with: "").lowercased()
        let value = "\(kind.prefix(4))\(digits.prefix(16))+/=\"&\(digits.suffix(12))"
        values.insert(value)
        return value
    }

    /// Looks for that value too.
    mutating func plant(_ value: String) {
        values.insert(value)
    }

    /// Looks for a token by its signature: what stands before it, tokens have in common.
    mutating func plant(token: String) {
        guard let signature = token.split(separator: ".").last, signature.count > Self.half else { return }
        values.insert(String(signature))
    }

    /// Everything to look for.
    var patterns: Set<String> {
        values.reduce(into: []) { $0.formUnion(Self.forms(of: $1)) }
    }

    private static func forms(of value: String) -> Set<String> {
        let start = Array(value.utf8.prefix(half))
        var forms: Set<String> = [value, String(value.prefix(half)), String(value.suffix(half))]
        for format in ["%02x", "%02X"] {
            let digits = start.map { String(format: format, $0) }
            forms.formUnion([digits.joined(), digits.map { "%\($0)" }.joined()])
        }
        for offset in 0..<3 { forms.formUnion(base64(Array(value.utf8.prefix(18)), behind: offset)) }
        forms.insert(String(String(value.reversed()).prefix(half)))
        return forms
    }

    /// How bytes look within the base64 of something longer, in both alphabets, as far as the neighbours do not matter.
    private static func base64(_ bytes: [UInt8], behind offset: Int) -> [String] {
        let text = Data([UInt8](repeating: 0, count: offset) + bytes).base64EncodedString()
        let own = text.prefix((offset + bytes.count) * 8 / 6).dropFirst((offset * 8 + 5) / 6)
        return [String(own), String(own.replacing("+", with: "-").replacing("/", with: "_"))]
    }

    /// What of it is in files, by `grep`, which alone is fast enough for so many patterns; at most a hundred lines.
    func found(in files: [String], patternsIn folder: String) async throws -> [String] {
        let list = "\(folder)/patterns"
        try (patterns.sorted().joined(separator: "\n") + "\n").write(toFile: list, atomically: true, encoding: .utf8)
        return try await Self.grep(["-F", "-f", list], files, folder)
    }

    /// What has the form of a token, whosever it is.
    static func tokens(in files: [String], folder: String) async throws -> [String] {
        // `{"` and more, in base64.
        try await grep(["-E", "eyJ[A-Za-z0-9_-]{10}"], files, folder)
    }

    private static func grep(_ what: [String], _ files: [String], _ folder: String) async throws -> [String] {
        struct Failure: Error { let words: String }
        let command = ["-a", "-o", "-m", "20"] + what + ["--"] + files + ["/dev/null"]
        let environment = ["LC_ALL": "C", "PATH": "/usr/bin:/bin"]
        let end = try await RunningProgram.run("/bin/grep", command, environment: environment, in: folder)
        guard end.status <= 1 else { throw Failure(words: end.errors) }
        return end.output.split(separator: "\n").prefix(100).map(String.init)
    }
}
