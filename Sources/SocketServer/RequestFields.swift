// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI

/// Reads header fields and query parameters whose form the standards or the contract fix.
enum RequestFields {
    /// A whole number of seconds; nil if the text is anything else. More than nine digits say only: very long.
    static func seconds(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        let significant = text.drop { $0 == "0" }
        return significant.count > 9 ? 999_999_999 : Int64(significant) ?? 0
    }

    /// The whole number, of seconds or of anything else, that a query names; nil where it does not name it.
    static func seconds(_ name: String, inQuery query: String) throws(Problem) -> Int64? {
        guard let text = try text(name, inQuery: query) else { return nil }
        guard let value = seconds(text) else {
            throw Problem(.badRequest, detail: "\(name) must be a whole number from 0 up.")
        }
        return value
    }

    /// The text that a query gives to the name, escapes undone; nil where it does not name it.
    static func text(_ name: String, inQuery query: String) throws(Problem) -> String? {
        var found: String?
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.first.flatMap({ PercentCoding.decode($0) }) == name else { continue }
            guard found == nil, parts.count == 2, let text = PercentCoding.decode(parts[1]) else {
                throw Problem(.badRequest, detail: "\(name) must be given once, with a value.")
            }
            found = text
        }
        return found
    }

    /// `wait` of `Prefer` (RFC 7240 section 4.3), in seconds. Preferences that are not understood are none.
    static func preferredWait(_ headers: HTTPHeaders) -> Int64? {
        for preference in headers["prefer"].flatMap({ $0.split(separator: ",") }) {
            let parts = (preference.split(separator: ";").first ?? "").split(separator: "=", maxSplits: 1)
            guard parts.count == 2, trimmed(parts[0]).lowercased() == "wait" else { continue }
            // Only the first one counts (RFC 7240 section 2).
            return seconds(trimmed(parts[1], also: "\""))
        }
        return nil
    }

    /// The validators of `If-None-Match` (RFC 9110 section 13.1.2), quotes included, weak marks left out since the
    /// comparison is a weak one.
    static func validators(_ headers: HTTPHeaders) -> [String] {
        headers["if-none-match"].flatMap { validators($0).map(\.tag) }
    }

    /// The validators of `If-Match` (RFC 9110 section 13.1.1), quotes included; weak ones match nothing and are left out. Nil
    /// where there is no such field.
    static func strongValidators(_ headers: HTTPHeaders) -> [String]? {
        let lines = headers["if-match"]
        return lines.isEmpty ? nil : lines.flatMap { validators($0).filter { !$0.isWeak }.map(\.tag) }
    }

    private static func validators(_ line: String) -> [(tag: String, isWeak: Bool)] {
        var validators: [(String, Bool)] = []
        var rest = line[...]
        while let start = rest.firstIndex(where: { $0 == "\"" || $0 == "*" }) {
            let end = rest[start] == "*" ? start : rest[rest.index(after: start)...].firstIndex(of: "\"")
            guard let end else { break }
            validators.append((String(rest[start...end]), rest[..<start].hasSuffix("W/")))
            rest = rest[rest.index(after: end)...]
        }
        return validators
    }

    /// Whether the caller would rather have the bare token than JSON (RFC 9110 section 12.5.1). A type that is named
    /// outweighs a wildcard of the same quality; who wants neither gets JSON.
    static func prefersText(_ headers: HTTPHeaders) -> Bool {
        let ranges = headers["accept"].flatMap { $0.split(separator: ",") }.map(MediaRange.init)
        guard !ranges.isEmpty else { return false }
        let text = ranges.preference(for: MediaType.text)
        let json = ranges.preference(for: MediaType.json)
        return text.quality > 0 && (text.quality, text.precision) > (json.quality, json.precision)
    }

    /// The text without white space at its ends, and without another character there.
    static func trimmed(_ text: Substring, also other: Character = " ") -> Substring {
        func isPadding(_ character: Character) -> Bool { character == " " || character == "\t" || character == other }
        let start = text.drop(while: isPadding)
        return start.lastIndex { !isPadding($0) }.map { start[...$0] } ?? ""
    }
}

/// One entry of `Accept`.
private struct MediaRange {
    let name: String
    let quality: Double

    init(_ text: Substring) {
        let parts = text.split(separator: ";").map { RequestFields.trimmed($0).lowercased() }
        self.name = parts.first ?? ""
        let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
        self.quality = quality.map { $0.isFinite ? min(max($0, 0), 1) : 0 } ?? 1
    }

    /// How exactly the range names the type: 3 by name, 2 by its first half, 1 as anything; nil if not at all.
    func precision(for type: String) -> Int? {
        if name == type { return 3 }
        if name.hasSuffix("/*"), name != "*/*", type.hasPrefix(name.dropLast()) { return 2 }
        return name == "*/*" ? 1 : nil
    }
}

extension [MediaRange] {
    /// What the most exact range says of a type.
    fileprivate func preference(for type: String) -> (quality: Double, precision: Int) {
        compactMap { range in range.precision(for: type).map { (range.quality, $0) } }
            .max { $0.1 < $1.1 } ?? (0, 0)
    }
}
