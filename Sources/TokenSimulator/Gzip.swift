// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Just as much gzip (RFC 1952) as the faults need.
enum Gzip {
    /// How many spaces there are in ``bomb``.
    static let bombSize = 64 << 20

    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// A body of less than 64 KiB, stored as it is in one block (RFC 1951 section 3.2.4).
    static func stored(_ body: [UInt8]) -> [UInt8] {
        let length = UInt16(clamping: body.count)
        let block = [1] + little(length) + little(~length) + body
        return header + block + little(checksum(body)) + little(UInt32(body.count))
    }

    /// Spaces that take up a thousandth of their size: in one block, whose code has one bit for 258 of them and one for how
    /// far back they are found (RFC 1951 section 3.2.7).
    static let bomb: [UInt8] = {
        var bits = BitWriter()
        bits.write(0b101, 3)  // the last block; its code comes with it
        bits.write(286 - 257, 5)
        bits.write(0, 5)
        bits.write(18 - 4, 4)
        // How long the codes of the code lengths 18, 2 and 1 are: 1, 2 and 2 bits, in the order in which they are named.
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            bits.write(symbol == 18 ? 1 : symbol == 2 || symbol == 1 ? 2 : 0, 3)
        }
        // Code lengths: 2 for the space (32) and the end (256), 1 for 258 bytes (285), and 1 for the one distance.
        bits.writeZeros(32)
        bits.write(0b11, 2)
        bits.writeZeros(138)
        bits.writeZeros(85)
        bits.write(0b11, 2)
        bits.writeZeros(28)
        bits.write(0b01, 2)
        bits.write(0b01, 2)
        // Spaces until the rest can be taken in whole lengths; the space's code is 10, its first bit first.
        let single = bombSize % 258 + 258
        for _ in 0..<single { bits.write(0b01, 2) }
        for _ in 0..<((bombSize - single) / 258) { bits.write(0, 2) }
        bits.write(0b11, 2)
        // The checksum of so many spaces was worked out beforehand; it would take longer than anything else here.
        return header + bits.bytes + little(bombChecksum) + little(UInt32(bombSize))
    }()

    private static let bombChecksum: UInt32 = 0x97BF_D3EC

    /// CRC-32 (RFC 1952 section 8).
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let crc = bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { bits, _ in bits >> 1 ^ (bits & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~crc
    }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// Packs bits, lowest first (RFC 1951 section 3.1.1).
    private struct BitWriter {
        private(set) var bytes: [UInt8] = []
        private var used = 8

        /// Appends so many bits, the lowest first.
        mutating func write(_ value: Int, _ count: Int) {
            for index in 0..<count {
                if used == 8 {
                    bytes.append(0)
                    used = 0
                }
                bytes[bytes.count - 1] |= UInt8(value >> index & 1) << UInt8(used)
                used += 1
            }
        }

        /// Appends from 11 to 138 code lengths of 0, by code length 18, whose code is 0.
        mutating func writeZeros(_ count: Int) {
            write(0, 1)
            write(count - 11, 7)
        }
    }
}
