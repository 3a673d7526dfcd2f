// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Testing

@testable import TokenCipher

@Suite struct LockedBytesTests {
    private func locked(_ bytes: [UInt8]) -> LockedBytes {
        bytes.withUnsafeBytes { LockedBytes(copying: $0) }
    }

    @Test(arguments: [0, 1, 32, 4096, 4097]) func bytesAreWhatWasCopied(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let locked = locked(bytes)
        #expect(locked.count == count)
        #expect(locked.withBytes { Array($0) } == bytes)
    }

    /// What the kernel says of the page that the bytes are in (proc(5), `VmFlags`).
    private func flags(at address: UInt) throws -> Set<Substring> {
        let file = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        var isIn = false
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let ends = text.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 { isIn = (ends[0]..<ends[1]).contains(address) }
            if isIn, text.hasPrefix("VmFlags:") { return Set(text.split { $0.isWhitespace }) }
        }
        return []
    }

    @Test func theirPageIsLockedAndInNoDump() throws {
        let locked = locked(Array(1...32))
        let address = try #require(locked.withBytes { $0.baseAddress.map { UInt(bitPattern: $0) } })
        let flags = try flags(at: address)
        #expect(flags.contains("dd") && flags.contains("wf"), "\(flags)")
        #expect(flags.contains("lo") == locked.isLocked)
        #expect(locked.isLocked == LockedBytes.canLock)
    }

    @Test func reflectionFindsNothing() {
        #expect(Mirror(reflecting: locked([1, 2, 3])).children.isEmpty)
    }
}
