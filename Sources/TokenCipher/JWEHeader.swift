// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The protected header (RFC 7516, section 4): what it says of the key, and the three members by which a value is bound to
/// its place. They are private ones (section 4.3), as both sides of this are ours: `env`, `col` and `row`.
struct JWEHeader {
    /// How every header of ours begins.
    static let start = #"{"alg":"dir","enc":"A256GCM""#

    /// `kid`.
    let keyID: String
    private let environment: String?
    private let column: String?
    private let row: String?

    /// Reads the header of a value that anybody may have written; of what does not concern it, nothing is asked.
    init(_ text: [UInt8]) throws(SealFault) {
        guard let members = JSONTreeReader.read(text)?.members else { throw .malformed(.jwe) }
        guard members["alg"]?.text == "dir", members["enc"]?.text == "A256GCM" else { throw .unsupported(.algorithm) }
        guard members["zip"] == nil else { throw .unsupported(.compression) }
        guard members["crit"] == nil else { throw .unsupported(.extensions) }
        guard let keyID = members["kid"]?.text else { throw .unnamedKey }
        self.keyID = keyID
        environment = members["env"]?.text
        column = members["col"]?.text
        row = members["row"]?.text
    }

    /// Fails unless the header names that place. Of no worth before the value was opened: until then anybody may have
    /// written it.
    func expect(_ place: ColumnPlace) throws(SealFault) {
        guard let environment, let column, let row else { throw .unbound }
        guard environment == place.environment.rawValue else { throw .otherPlace(.environment) }
        guard column == place.column.rawValue else { throw .otherPlace(.column) }
        guard UserID(row) == place.row else { throw .otherPlace(.row) }
    }
}

extension JWEHeader {
    /// The header up to the row's id, for a key whose own id needs no escape.
    static func start(forKey id: String, _ environment: TradeEnvironment, _ column: ColumnPlace.Column) -> [UInt8] {
        let place = #","env":"\#(environment.rawValue)","col":"\#(column.rawValue)","row":""#
        return Array((start + #","kid":"\#(id)""# + place).utf8)
    }

    /// Appends the row's id, and ends the header.
    static func appendEnd(of place: ColumnPlace, to text: inout [UInt8]) {
        for byte in place.row.text.utf8 { append(byte, to: &text) }
        text.append(UInt8(ascii: "\""))
        text.append(UInt8(ascii: "}"))
    }

    /// Appends a byte of a string, escaped where RFC 8259 (section 7) wants it.
    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        if byte < 0x20 {
            let digits = Array("0123456789abcdef".utf8)
            text += #"\u00"#.utf8
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        } else {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
    }
}
