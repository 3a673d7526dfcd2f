// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The members of one JSON object, as far as the header and the claims of a token need them: texts, instants, and lists of texts.
/// The text's length is bounded by whoever has it.
struct JSONFields {
    private static let maximumElements = 64

    private let members: JSONMembers

    /// Reads a whole object; nil if the bytes are none.
    init?(_ bytes: [UInt8]) {
        guard let members = JSONTreeReader.read(bytes, maximumElements: Self.maximumElements)?.members else {
            return nil
        }
        self.members = members
    }

    /// Whether there is such a member.
    func has(_ name: String) -> Bool { members[name] != nil }

    /// The text of a member.
    func text(_ name: String) -> String? { members[name]?.text }

    /// The texts of a member that may be one, or a list of them; what is no text in it is left out.
    func texts(_ name: String) -> [String] {
        let value = members[name]
        return value?.text.map { [$0] } ?? value?.elements?.compactMap(\.text) ?? []
    }

    /// The instant of a member in seconds since 1970 (RFC 7519, section 2: NumericDate); nil for what is no number, or lies
    /// outside the years that can be written.
    func instant(_ name: String) -> WallTime? {
        guard case .number(let digits) = members[name], let seconds = Double(digits), abs(seconds) < Self.latest else {
            return nil
        }
        return WallTime(microseconds: Int64(seconds * 1_000_000))
    }

    /// The year 2262, where `WallTime` ends.
    private static let latest = 9_223_372_036.0
}
