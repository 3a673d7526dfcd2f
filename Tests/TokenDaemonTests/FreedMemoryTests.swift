// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Testing

@testable import TokenDaemon

/// Memory that was given back is looked at through the kernel, since it is not the program's any more.
@Suite(.serialized) struct FreedMemoryTests {
    /// Small ones that a thread keeps, more of them than it keeps, and large ones.
    private static let sizes = [24, 40, 104, 600, 1000, 1400, 5000, 70_000].flatMap { Array(repeating: $0, count: 12) }
    private static let pattern: UInt8 = 0xC7

    /// Fills blocks with the pattern, and gives them back.
    private func spill() -> [(address: UInt, size: Int)] {
        let blocks = Self.sizes.compactMap { size in
            malloc(size).map { block in
                memset(block, Int32(Self.pattern), size)
                return (block, size)
            }
        }
        return blocks.map { block, size in
            defer { free(block) }
            return (UInt(bitPattern: block), size)
        }
    }

    /// In how many of the blocks more than eight bytes of the pattern stand one behind the other.
    private func stillReadable(_ blocks: [(address: UInt, size: Int)]) throws -> Int {
        let memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        try #require(memory >= 0)
        defer { close(memory) }
        return blocks.count { address, size in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { bytes in
                guard pread(memory, bytes.baseAddress, size, off_t(address)) == size else { return false }
                var run = 0
                return bytes.contains { byte in
                    run = byte == Self.pattern ? run + 1 : 0
                    return run > 8
                }
            }
        }
    }

    @Test func whatIsGivenBackMeanwhileIsOverwritten() throws {
        #expect(try stillReadable(spill()) > 20, "the test can tell")
        #expect(try stillReadable(FreedMemory.overwritten { spill() }) == 0)
        #expect(try stillReadable(spill()) > 20, "and only meanwhile, since it is dear")
    }

    @Test func whatTheCallThrowsIsThrown() {
        struct Failure: Error {}
        #expect(throws: Failure.self) { try FreedMemory.overwritten { () throws(Failure) in throw Failure() } }
    }
}
