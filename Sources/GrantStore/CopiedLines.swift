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

    /// What `decode` makes of each line's row, and of how many it makes nothing. It is given a row with the first fields, and what
    /// takes the others.
    consuming func decoded<Value>(
        _ decode: (inout PostgresRow, FieldsLeft) -> Value?
    ) -> (values: [Value], others: Int) {
        var values: [Value] = []
        values.reserveCapacity(ends.count)
        var (row, start) = (PostgresRow(), 0)
        let ends = ends
        bytes.withUnsafeMutableBufferPointer { bytes in
            for end in ends {
                let line = UnsafeMutableBufferPointer(rebasing: bytes[start..<end])
                let rest = row.fill(copyLine: line, atMost: AccountReader.head)
                let value = decode(&row) { row in
                    if let rest { row.fillRest(copyLine: line, from: rest) }
                }
                if let value { values.append(value) }
                start = end
            }
        }
        return (values, ends.count - values.count)
    }
}
