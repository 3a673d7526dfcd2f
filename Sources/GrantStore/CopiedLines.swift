// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Lines of a `COPY` as they came, in one piece, to be read elsewhere than on the connection's lane: what is read next comes in
/// meanwhile.
struct CopiedLines: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// Takes a copy of a line.
    mutating func append(_ line: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: line)
        ends.append(bytes.count)
    }

    /// What `decode` makes of each line's row, and of how many it makes nothing.
    consuming func decoded<Value>(_ decode: (PostgresRow) -> Value?) -> (values: [Value], others: Int) {
        var values: [Value] = []
        values.reserveCapacity(ends.count)
        var (row, start) = (PostgresRow(), 0)
        let ends = ends
        bytes.withUnsafeMutableBufferPointer { bytes in
            for end in ends {
                row.fill(copyLine: UnsafeMutableBufferPointer(rebasing: bytes[start..<end]))
                if let value = decode(row) { values.append(value) }
                start = end
            }
        }
        return (values, ends.count - values.count)
    }
}
