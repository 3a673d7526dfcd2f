// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A key with its name, and with the part of the header that is the same in all values it seals.
struct JWEKey: Sendable {
    /// `kid`.
    let id: String
    /// The key at work.
    let cipher: ColumnCipher
    /// The text that all headers of this key begin with, as far as it makes whole groups of base64.
    let encodedStart: [UInt8]
    /// What comes between that and the place, not yet encoded: two bytes at most.
    private let rest: ArraySlice<UInt8>

    /// Puts a key together.
    init(id: String, cipher: ColumnCipher) {
        let start = JWEHeader.start(forKey: id)
        let whole = start.count / 3 * 3
        self.id = id
        self.cipher = cipher
        encodedStart = Base64Text.url.encode(Array(start[..<whole]))
        rest = start[whole...]
    }

    /// The header of a value at that place, as the first part of a JWE: what the value is bound to.
    func encodedHeader(for place: ColumnPlace) -> [UInt8] {
        var text = Array(rest)
        JWEHeader.append(place, to: &text)
        return encodedStart + Base64Text.url.encode(text)
    }
}
