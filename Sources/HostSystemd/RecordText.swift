// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Makes text from anywhere fit for one line of a log: what it is made of cannot end the line, drive a terminal, or
/// fill the disk.
package enum RecordText {
    /// The text with control characters written as escapes, cut at a character's border to so many bytes of UTF-8, with
    /// an ellipsis where something is missing.
    package static func bounded(_ text: String, toBytes limit: Int) -> String {
        var result = ""
        var kept = result.endIndex
        for scalar in text.unicodeScalars {
            // Three bytes are the ellipsis's, should anything have to go.
            if result.utf8.count <= limit - 3 { kept = result.endIndex }
            result += escaped(scalar)
            guard result.utf8.count <= limit else { return result[..<kept] + "…" }
        }
        return result
    }

    /// A scalar as it may stand in a line. Besides control characters, the marks that end a line or turn its direction
    /// are written out, since both can make one record look like another.
    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
}
