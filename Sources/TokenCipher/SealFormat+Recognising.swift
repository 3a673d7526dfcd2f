// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension SealFormat {
    /// What a JWE of ours begins with, whatever its key and place.
    private static let start = Array(Base64Text.url.encode(Array(JWEHeader.start.utf8)).dropLast(2))
    /// How much of a header is looked at, in characters; `enc` stands near the beginning of it.
    private static let inspected = 512

    /// The form that a stored value has, whole or damaged; nil if it can be nothing but clear text.
    ///
    /// The tokens of RFC 6750 (section 2.1) hold no quotes and no braces, and a signed one has three parts and names no
    /// `enc`. So a value that was cut off at its end, or of which one byte was changed, still has its form.
    init?(of text: UnsafeBufferPointer<UInt8>) {
        let shape = Shape(of: text)
        if shape.isInFiveParts {
            self = .jwe
        } else if shape.hasObject {
            self = .rails
        } else if Self.isCutOff(text) || Self.namesEncryption(text) {
            self = .jwe
        } else {
            return nil
        }
    }

    /// What can be seen of a text without reading it.
    private struct Shape {
        var hasObject = false
        private var dots = 0
        private var hasEmptyPart = false

        /// A second part that is empty is what `dir` has in place of an encrypted key.
        var isInFiveParts: Bool { dots >= 4 && hasEmptyPart }

        init(of text: UnsafeBufferPointer<UInt8>) {
            var isAfterDot = false
            for byte in text {
                let isDot = byte == UInt8(ascii: ".")
                if isDot {
                    dots += 1
                    hasEmptyPart = hasEmptyPart || isAfterDot
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") {
                    hasObject = true
                }
                isAfterDot = isDot
            }
        }
    }

    /// Whether it is the very beginning of a JWE and no more.
    private static func isCutOff(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        !text.isEmpty && text.count <= start.count && start.starts(with: text)
    }

    /// Whether it begins with a header that has the member `enc`, or with the beginning of one.
    private static func namesEncryption(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard isHeader(text) else { return false }
        // As far as it can be read: what comes after may be damaged.
        let bound = min(text.count, inspected)
        var end = 0
        while end < bound, Base64Text.url.isCharacter(text[end]) { end += 1 }
        guard let header = Base64Text.url.decode(UnsafeBufferPointer(rebasing: text[..<(end / 4 * 4)])) else {
            return false
        }
        return hasEncryptionMember(header)
    }

    /// Whether it begins as base64 of a JSON object does, whose first member follows at once.
    private static func isHeader(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.count >= 3 && text[0] == UInt8(ascii: "e") && text[1] == UInt8(ascii: "y") && text[2] == UInt8(ascii: "J")
    }

    /// A search by hand: the library's for any collection takes several times as long as all else here.
    private static func hasEncryptionMember(_ header: [UInt8]) -> Bool {
        guard header.count >= member.count else { return false }
        return (0...(header.count - member.count)).contains { start in
            header[start] == member[0] && header[start..<(start + member.count)].elementsEqual(member)
        }
    }

    private static let member = Array(#""enc""#.utf8)
}
