// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The types that the id column may have; the raw value is what `format_type` calls them.
enum IdentifierType: String, CaseIterable, Sendable {
    case smallint, integer, bigint, uuid, text
    case varchar = "character varying"

    /// What parameters that hold ids are cast to.
    var cast: String { self == .varchar ? "text" : rawValue }

    /// Whether ids may hold characters other than ASCII.
    var isText: Bool { self == .text || self == .varchar }

    /// Whether PostgreSQL could print this text for a value of the type. A text that it could not is nobody's id, and
    /// in a list of many would make the statement fail for all.
    func canPrint(_ user: UserID) -> Bool {
        switch self {
        case .smallint: Int16(user.text).map(String.init) == user.text
        case .integer: Int32(user.text).map(String.init) == user.text
        case .bigint: Int64(user.text).map(String.init) == user.text
        case .uuid: user.text.wholeMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil
        case .text, .varchar: !user.text.utf8.contains(0)
        }
    }
}

/// The type of the expiry's column, and how an instant is put into it.
struct ExpiryType: Hashable, Sendable {
    /// Whether it is `timestamp with time zone`; if not it holds UTC, as Rails keeps it.
    let hasZone: Bool
    /// How many digits of a second it keeps; 6 unless declared otherwise.
    let precision: Int

    /// Reads what the catalogue says; nil if it is another type. `modifier` is `atttypmod`: the digits, or -1.
    init?(catalogue name: String, modifier: Int64) {
        switch name {
        case "timestamp without time zone": self.hasZone = false
        case "timestamp with time zone": self.hasZone = true
        default: return nil
        }
        self.precision = (0...6).contains(modifier) ? Int(modifier) : 6
    }

    /// The type's short name.
    var name: String { hasZone ? "timestamptz" : "timestamp" }

    /// Microseconds since 1970 as the column can hold them, rounded down: the server would round to the nearest, and a
    /// token must not look alive when it is dead.
    func stored(_ time: WallTime) -> Int64 {
        let step = (precision..<6).reduce(Int64(1)) { step, _ in step * 10 }
        let whole = time.microseconds / step
        return (time.microseconds % step < 0 ? whole - 1 : whole) * step
    }
}
