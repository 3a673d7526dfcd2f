// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

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

    /// Takes more fields of the row.
    mutating func append(_ fields: some Sequence<UnsafeBufferPointer<UInt8>?>) {
        self.fields.append(contentsOf: fields)
    }

    /// Takes the fields of one line of COPY's text format (PostgreSQL manual, COPY, Text Format). Escapes are resolved
    /// in place: a resolved field is never longer.
    mutating func fill(copyLine line: UnsafeMutableBufferPointer<UInt8>) {
        _ = fill(copyLine: line, atMost: .max)
    }

    /// Takes the first fields of such a line, so many at most.
    ///
    /// - Returns: where the next field begins; nil if there is none.
    mutating func fill(copyLine line: UnsafeMutableBufferPointer<UInt8>, atMost limit: Int) -> Int? {
        fields.removeAll(keepingCapacity: true)
        return append(copyLine: line, from: 0, atMost: limit)
    }

    /// Takes the other fields of the line.
    mutating func fillRest(copyLine line: UnsafeMutableBufferPointer<UInt8>, from start: Int) {
        _ = append(copyLine: line, from: start, atMost: .max)
    }

    private mutating func append(
        copyLine line: UnsafeMutableBufferPointer<UInt8>,
        from start: Int,
        atMost limit: Int
    ) -> Int? {
        guard let last = line.last else { return nil }
        // A tab or a line's end within a value is escaped, so that the C library can look for them many bytes at a time.
        let end = last == UInt8(ascii: "\n") ? line.count - 1 : line.count
        var (start, count) = (start, 0)
        while let tab = Self.find(UInt8(ascii: "\t"), in: line, start..<end) {
            append(line, start..<tab)
            (start, count) = (tab + 1, count + 1)
            if count == limit { return start }
        }
        append(line, start..<end)
        return nil
    }

    private mutating func append(_ line: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>) {
        guard let escape = Self.find(UInt8(ascii: "\\"), in: line, range) else {
            return fields.append(UnsafeBufferPointer(rebasing: line[range]))
        }
        let isNull = range.count == 2 && escape == range.lowerBound && line[escape + 1] == UInt8(ascii: "N")
        fields.append(isNull ? nil : Self.resolved(line, range, from: escape))
    }

    private static func find(
        _ byte: UInt8,
        in line: UnsafeMutableBufferPointer<UInt8>,
        _ range: Range<Int>
    ) -> Int? {
        guard let base = line.baseAddress, let found = memchr(base + range.lowerBound, CInt(byte), range.count) else {
            return nil
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private static func resolved(
        _ line: UnsafeMutableBufferPointer<UInt8>,
        _ range: Range<Int>,
        from escape: Int
    ) -> UnsafeBufferPointer<UInt8> {
        var (read, written) = (escape, escape)
        while read < range.upperBound {
            let isEscape = line[read] == UInt8(ascii: "\\") && read + 1 < range.upperBound
            line[written] = isEscape ? unescaped(line[read + 1]) : line[read]
            (read, written) = (read + (isEscape ? 2 : 1), written + 1)
        }
        return UnsafeBufferPointer(rebasing: line[range.lowerBound..<written])
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
