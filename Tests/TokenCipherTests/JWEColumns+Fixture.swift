// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TokenCipher

/// Sets of keys, made from one byte each so that tests can tell them apart.
enum KeySetText {
    /// A set as JSON, of keys with these ids; the key is 32 times the byte.
    static func of(_ keys: [(id: String, byte: UInt8)]) -> String {
        let members = keys.map { member($0.id, $0.byte) }
        return #"{"keys":[\#(members.joined(separator: ","))]}"#
    }

    /// One key of a set.
    static func member(_ id: String, _ byte: UInt8) -> String {
        #"{"kty":"oct","kid":"\#(id)","k":"\#(key(byte))"}"#
    }

    /// The text of a key.
    static func key(_ byte: UInt8, count: Int = 32) -> String {
        base64URL([UInt8](repeating: byte, count: count))
    }

    /// By Foundation, so that it does not depend on what is tested.
    static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

extension JWEColumns {
    static func fixture(_ keys: [(id: String, byte: UInt8)] = [("new", 1), ("old", 2)]) throws -> JWEColumns {
        JWEColumns(try JWEKeySet(Array(KeySetText.of(keys).utf8)))
    }
}
