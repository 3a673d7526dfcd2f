// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What is wrong with a set of keys. Names the key by its place, counted from 1, and the member; never quotes a value.
package enum KeySetFault: Error, Hashable, Sendable {
    /// The text is no JSON, or has two members of one name.
    case notJSON
    /// It is no object with a list `keys`.
    case noList
    /// The list has no key in it.
    case empty
    /// A key cannot be used.
    case key(Int, KeyFault)
}

/// What is wrong with one key of a set.
package enum KeyFault: Error, Hashable, Sendable {
    /// It is no object.
    case notAnObject
    /// A member is missing, or no text.
    case noText(String)
    /// `kty` is not `oct`.
    case type
    /// `kid` is empty, longer than 64 characters, or has characters that need escaping somewhere.
    case identifier
    /// Another key, whose place is given, has the same `kid`.
    case sameIdentifier(as: Int)
    /// `k` is not in base64url without padding.
    case encoding
    /// The key is of so many bytes, and 32 are needed.
    case length(Int)
    /// `use`, `alg` or `key_ops` say that it is for something else.
    case purpose(String)
}

extension KeySetFault: CustomStringConvertible {
    /// What is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .notJSON: "the set of keys is not JSON, or has two members of one name in an object"
        case .noList: "the set of keys is not a JWK Set: it has no list `keys`"
        case .empty: "the set of keys has no key; add one with tastytokend keygen"
        case .key(let place, let fault): "key \(place) of the set \(fault)"
        }
    }
}

extension KeyFault: CustomStringConvertible {
    /// What is wrong, to be continued after the key's place.
    package var description: String {
        switch self {
        case .notAnObject: "is not an object"
        case .noText(let member): "has no text as `\(member)`"
        case .type: "is not symmetric: `kty` must be oct"
        case .identifier: "has no usable `kid`: 1 to 64 letters, digits and - . _ ~ are needed"
        case .sameIdentifier(let other): "has the same `kid` as key \(other)"
        case .encoding: "has a `k` that is not in base64url without padding (RFC 7515, section 2)"
        case .length(let bytes): "has \(bytes) bytes in its `k`; A256GCM needs 32"
        case .purpose(let member): "is for something else by its `\(member)`"
        }
    }
}
