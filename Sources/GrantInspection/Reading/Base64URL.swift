// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// Base64 for URLs, without padding (RFC 4648, section 5), as JSON Web Signatures have it (RFC 7515, section 2).
enum Base64URL {
    /// The bytes of a text; nil if it is none. Bits left over at its end are not looked at: what is read here proves nothing,
    /// so it makes no difference that it could be written in several ways.
    static func decode(_ text: Substring.UTF8View) -> [UInt8]? {
        guard text.allSatisfy(isCharacter), text.count % 4 != 1 else { return nil }
        var standard = text.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(standard)).map(Array.init)
    }

    private static func isCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
