// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A JSON value, as far as sealed values, sets of keys and the claims of tokens need it.
package enum JSONTree: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, in its own digits.
    case number(String)
    /// A text.
    case string(String)
    /// A list, and where its first element would stand in the text, in bytes from its beginning.
    case array([JSONTree], contentAt: Int)
    /// An object. No two members have one name.
    case object(JSONMembers)

    /// The text of a string.
    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The members of an object.
    package var members: JSONMembers? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements of a list.
    package var elements: [JSONTree]? {
        if case .array(let elements, contentAt: _) = self { elements } else { nil }
    }
}

/// The members of an object; few, so that looking through them is quicker than a dictionary.
package struct JSONMembers: Hashable, Sendable {
    private var members: [Member] = []

    private struct Member: Hashable, Sendable {
        let name: String
        let value: JSONTree
    }

    /// The member of that name.
    package subscript(name: String) -> JSONTree? {
        members.first { $0.name == name }?.value
    }

    /// Adds a member; false if there is one of that name already.
    mutating func add(_ name: String, _ value: JSONTree) -> Bool {
        guard self[name] == nil else { return false }
        members.append(Member(name: name, value: value))
        return true
    }

    /// How many there are.
    package var count: Int { members.count }
}
