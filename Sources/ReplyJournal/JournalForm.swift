// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The form of the journal's file: a header, and records one after the other.
///
/// A record is the length of its sealed part in four bytes, its number in eight, the lowest first, and the sealed part, which is
/// bound to the number. Numbers go up through the file, so that a record that was left over from before cannot pass for one that
/// came after.
enum JournalForm {
    /// Names the form; another version would have another.
    static let header = Array("tastytokend reply journal 1\n".utf8)
    /// What a sealed part may be at most: the longest reply that is read (1 MiB), and room around it.
    static let longestSealed = 1 << 21
    /// What a file may be at most; the entries of a million accounts, with long tokens, are less.
    static let longestFile = 1 << 32
    /// What comes before the sealed part.
    static let prefixLength = 12

    /// A record as it stands in the file.
    static func framed(_ sealed: [UInt8], number: UInt64) -> [UInt8] {
        bytes(of: UInt32(sealed.count)) + place(number) + sealed
    }

    /// What a sealed part is bound to.
    static func place(_ number: UInt64) -> [UInt8] { bytes(of: number) }

    private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// Reads a number of so many bytes, the lowest first.
    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A record as it stands in the file, with what was sealed in it.
struct FramedRecord: Sendable {
    /// Its number.
    let number: UInt64
    /// Length, number and sealed part.
    let bytes: [UInt8]
    /// What was sealed in it.
    let record: JournalRecord
}
