// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc

/// Has memory overwritten that is given back while secrets are read.
///
/// A text of Swift's cannot be overwritten, nor can what a library makes of it on its way; but the allocator can be told
/// to overwrite every block that is freed (mallopt(3), `M_PERTURB`), all but the last eight bytes of one that was full.
/// That is too dear for always, and cheap for the moment in which files of keys are read. What a thread frees first is
/// kept for it as it was, some blocks of each small size, and is overwritten afterwards.
enum FreedMemory {
    /// What is written over it: any byte but zero.
    private static let filling: Int32 = 0x5A
    /// The largest block that is kept for a thread, and the steps between sizes (glibc's tcache).
    private static let largest = 1032
    private static let step = 16
    /// How many of a size are kept.
    private static let depth = 7

    /// Runs a call that reads secrets, and overwrites what it gave back. On the calling thread nothing may be suspended.
    static func overwritten<Result, Failure>(
        after body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mallopt(M_PERTURB, filling)
        defer {
            mallopt(M_PERTURB, 0)
            overwriteKeptBlocks()
        }
        return try body()
    }

    private static func overwriteKeptBlocks() {
        for size in stride(from: 8, through: largest, by: step) { overwriteBlocks(of: size) }
    }

    private static func overwriteBlocks(of size: Int) {
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: depth) { blocks in
            for index in 0..<depth {
                let block = malloc(size)
                if let block { explicit_bzero(block, malloc_usable_size(block)) }
                blocks.initializeElement(at: index, to: block)
            }
            for block in blocks { free(block) }
        }
    }
}
