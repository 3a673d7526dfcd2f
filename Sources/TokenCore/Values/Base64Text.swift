// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Base64 (RFC 4648), strictly: one text for the same bytes, so that a stored value cannot be written differently and still
/// open. White space, missing or needless padding, and bits that would be dropped are refused.
package struct Base64Text: Sendable {
    /// Section 4, with padding, as Active Record writes it.
    package static let standard = Base64Text(last: "+/", isPadded: true)
    /// Section 5, without padding, as JOSE has it (RFC 7515, section 2).
    package static let url = Base64Text(last: "-_", isPadded: false)

    private static let invalid: UInt8 = 0xFF
    private static let padding = UInt8(ascii: "=")

    private let characters: [UInt8]
    /// Two characters for each twelve bits, in the order in which they lie in memory: writing two at a time takes half as long.
    private let pairs: [UInt16]
    /// The value of each byte as a character.
    private let values: [UInt8]
    private let isPadded: Bool

    private init(last: StaticString, isPadded: Bool) {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let characters = Array(common.utf8) + last.withUTF8Buffer(Array.init)
        self.characters = characters
        pairs = (0..<4096).map { UInt16(littleEndian: UInt16(characters[$0 & 63]) << 8 | UInt16(characters[$0 >> 6])) }
        var values = [UInt8](repeating: Self.invalid, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
        self.isPadded = isPadded
    }
}

extension Base64Text {
    /// How many characters so many bytes become.
    package func encodedCount(_ count: Int) -> Int {
        isPadded ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3
    }

    /// The text of some bytes, in ASCII.
    package func encode(_ bytes: [UInt8]) -> [UInt8] {
        Array(unsafeUninitializedCapacity: encodedCount(bytes.count)) { output, count in
            count = bytes.withUnsafeBufferPointer { encode($0, into: output) }
        }
    }

    /// Writes the text of some bytes, and gives its length.
    package func encode(_ bytes: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let whole = bytes.count / 3
        let raw = UnsafeMutableRawBufferPointer(output)
        pairs.withUnsafeBufferPointer { pairs in
            for group in 0..<whole {
                let start = group * 3
                let bits = UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
                raw.storeBytes(of: pairs[Int(bits >> 12)], toByteOffset: group * 4, as: UInt16.self)
                raw.storeBytes(of: pairs[Int(bits & 4095)], toByteOffset: group * 4 + 2, as: UInt16.self)
            }
        }
        let rest = UnsafeBufferPointer(rebasing: bytes[(whole * 3)...])
        return whole * 4 + encodeRest(rest, into: output, at: whole * 4)
    }

    /// The one or two bytes after the last whole group.
    private func encodeRest(
        _ rest: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        at start: Int
    ) -> Int {
        guard let first = rest.first else { return 0 }
        let group = UInt32(first) << 16 | (rest.count > 1 ? UInt32(rest[1]) << 8 : 0)
        var text = [characters[Int(group >> 18)], characters[Int(group >> 12 & 63)]]
        if rest.count > 1 { text.append(characters[Int(group >> 6 & 63)]) }
        while isPadded, text.count < 4 { text.append(Self.padding) }
        for (index, character) in text.enumerated() { output[start + index] = character }
        return text.count
    }
}

extension Base64Text {
    /// The bytes of a text; nil if it is not exactly what ``encode(_:)`` would have written.
    package func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { decode($0) }
    }

    /// The bytes of a text; nil if it is not exactly what ``encode(_:)`` would have written.
    package func decode(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBufferPointer { decode($0) }
    }

    /// The bytes of a text; nil if it is not exactly what ``encode(_:)`` would have written.
    package func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var isSound = false
        let bytes = [UInt8](unsafeUninitializedCapacity: decodedCapacity(text.count)) { output, count in
            guard let written = decode(text, into: output) else { return }
            isSound = true
            count = written
        }
        return isSound ? bytes : nil
    }

    /// Whether a byte is one of the 64 characters.
    package func isCharacter(_ byte: UInt8) -> Bool { values[Int(byte)] < 64 }

    /// How many bytes so many characters become at most.
    package func decodedCapacity(_ count: Int) -> Int { count / 4 * 3 + count % 4 }

    /// Writes the bytes of a text where ``decodedCapacity(_:)`` of them have room, and gives their number; nil if the text is
    /// not exactly what ``encode(_:)`` would have written.
    package func decode(_ text: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        guard let body = withoutPadding(text) else { return nil }
        let whole = body.count / 4
        // Values are below 64: any bit above them comes from a character that has none.
        var seen: UInt8 = 0
        values.withUnsafeBufferPointer { values in
            for group in 0..<whole {
                let text = UnsafeBufferPointer(rebasing: body[(group * 4)..<(group * 4 + 4)])
                let value = (values[Int(text[0])], values[Int(text[1])], values[Int(text[2])], values[Int(text[3])])
                seen |= value.0 | value.1 | value.2 | value.3
                output[group * 3] = value.0 << 2 | value.1 >> 4
                output[group * 3 + 1] = value.1 << 4 | value.2 >> 2
                output[group * 3 + 2] = value.2 << 6 | value.3
            }
        }
        guard seen < 64 else { return nil }
        return decodeRest(UnsafeBufferPointer(rebasing: body[(whole * 4)...]), into: output, at: whole * 3)
    }

    /// The text up to its padding; nil if that is not as it has to be.
    private func withoutPadding(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard isPadded else { return text }
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == Self.padding }.count
        return UnsafeBufferPointer(rebasing: text.dropLast(padding))
    }

    private func decodeRest(
        _ rest: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        at start: Int
    ) -> Int? {
        let value = rest.map { values[Int($0)] }
        guard value.allSatisfy({ $0 < 64 }) else { return nil }
        switch value.count {
        case 0: return start
        case 2 where value[1] & 15 == 0:
            output[start] = value[0] << 2 | value[1] >> 4
            return start + 1
        case 3 where value[2] & 3 == 0:
            output[start] = value[0] << 2 | value[1] >> 4
            output[start + 1] = value[1] << 4 | value[2] >> 2
            return start + 2
        // One character holds no byte; bits that would be dropped could be written differently.
        default: return nil
        }
    }
}
