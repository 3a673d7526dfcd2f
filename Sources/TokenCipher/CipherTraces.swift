// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// What a cipher leaves in memory that it gave back: on the heap, and on the stack below its caller.
///
/// The library keeps a key in use in an object whose end overwrites nothing (`EVP_AEAD_CTX_cleanup` does nothing for
/// AES-GCM), and that object begins with the key itself. The allocator gives the block that a thread freed last to the
/// next who asks for as much on that thread, so that asking for some of that size gets at it. The size is the library's, and
/// `MemoryContentsTests` shows whether it holds.
enum CipherTraces {
    /// The object takes 592 bytes, and so gets a block of which 600 can be used.
    private static let size = 600
    /// Buffers of that size may have been given back after it.
    private static let depth = 4

    /// So much at a time is on the stack for sure; more could be taken from the heap.
    private static let stackPortion = 1024
    /// How far down the stack the library's calls leave a key, a kilobyte each: what comes later on that thread may not get so far.
    private static let stackDepth = 8

    /// Overwrites them. To be called on the thread that used the cipher, right after that.
    static func overwrite() {
        overwriteHeap()
        overwriteStack(stackDepth)
    }

    @inline(never) private static func overwriteStack(_ depth: Int) {
        withUnsafeTemporaryAllocation(byteCount: stackPortion, alignment: 16) { portion in
            if let start = portion.baseAddress { explicit_bzero(start, portion.count) }
            if depth > 1 { overwriteStack(depth - 1) }
        }
    }

    private static func overwriteHeap() {
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: depth) { blocks in
            for index in 0..<depth {
                let block = malloc(size)
                if let block { explicit_bzero(block, size) }
                blocks.initializeElement(at: index, to: block)
            }
            for block in blocks { free(block) }
        }
    }
}

extension [UInt8] {
    /// Overwrites the bytes; of no effect on copies that were made of them.
    mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
        }
    }

    /// Takes over what the library opened, whose own buffer is overwritten: it is given back as it is else.
    init(takingOver opened: some Collection<UInt8>) {
        self.init(opened)
        opened.withContiguousStorageIfAvailable { bytes in
            // Nobody else has the buffer, which was made for this answer.
            guard let start = bytes.baseAddress else { return }
            explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }
}
