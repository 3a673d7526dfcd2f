// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The fields of one row as the server printed them. The bytes belong to libpq and are valid only in the closure that
/// gets the row.
struct PostgresRow {
    private var fields: [UnsafeBufferPointer<UInt8>?] = []

    /// A row without fields, to be filled.
    init() {}

    /// How many fields there are.
    var count: Int { fields.count }

    /// The field's bytes; nil if it is NULL.
    func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8>? { fields[column] }

    /// The field's text; nil if it is NULL. What is not UTF-8 is repaired, never trapped on.
    func text(_ column: Int) -> String? {
        fields[column].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The field as a whole number; nil if it is NULL or no such number.
    func integer(_ column: Int) -> Int64? {
        guard let bytes = fields[column], !bytes.isEmpty else { return nil }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in bytes.dropFirst(isNegative ? 1 : 0) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            // Counted downwards, since the least number has no positive counterpart.
            let (difference, underflow) = product.subtractingReportingOverflow(digit)
            guard !overflow, !underflow else { return nil }
            value = difference
        }
        return isNegative ? value : (value == .min ? nil : -value)
    }

    /// The field as a truth value (`t`, `f`); false if it is NULL.
    func flag(_ column: Int) -> Bool {
        fields[column]?.first == UInt8(ascii: "t")
    }

    /// Takes the fields of a result's row.
    mutating func fill(_ fields: some Sequence<UnsafeBufferPointer<UInt8>?>) {
        self.fields.removeAll(keepingCapacity: true)
        self.fields.append(contentsOf: fields)
    }

    /// Takes the fields of one line of COPY's text format (PostgreSQL manual, COPY, Text Format). Escapes are resolved
    /// in place: a resolved field is never longer.
    mutating func fill(copyLine line: UnsafeMutableBufferPointer<UInt8>) {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        var written = 0
        var read = 0
        var isNull = false
        while read < line.count {
            let byte = line[read]
            read += 1
            switch byte {
            case UInt8(ascii: "\t"), UInt8(ascii: "\n"):
                append(line, start..<written, isNull: isNull)
                (start, written, isNull) = (read, read, false)
            case UInt8(ascii: "\\") where read < line.count:
                isNull = line[read] == UInt8(ascii: "N") && written == start
                line[written] = Self.unescaped(line[read])
                (read, written) = (read + 1, written + 1)
            default:
                if written != read - 1 { line[written] = byte }
                written += 1
            }
        }
        if start < line.count { append(line, start..<written, isNull: isNull) }
    }

    private mutating func append(_ line: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, isNull: Bool) {
        fields.append(isNull ? nil : UnsafeBufferPointer(rebasing: line[range]))
    }

    private static func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "v"): 0x0B
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "r"): 0x0D
        default: byte
        }
    }
}
