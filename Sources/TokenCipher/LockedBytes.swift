// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A key's bytes in a page of their own: never swapped out, in no core file, nowhere else for longer than a call, and
/// overwritten when nobody needs them any more.
///
/// Unchecked because a pointer is not Sendable by itself: what it points to is filled before anybody else sees it, and not
/// written to again before the last holder is gone.
package final class LockedBytes: @unchecked Sendable {
    private let page: UnsafeMutableRawPointer
    private let room: Int
    /// How many there are.
    package let count: Int
    /// Whether the kernel keeps them in memory. It does not where more is locked than RLIMIT_MEMLOCK allows; all else holds
    /// in any case.
    package let isLocked: Bool

    /// Copies bytes to a page of their own. The caller's are the caller's to overwrite.
    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Has so many bytes filled in where they stay, zeroes before that.
    package init<Failure>(
        count: Int,
        filling: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let pageSize = max(sysconf(Int32(_SC_PAGESIZE)), 1)
        room = max(count + pageSize - 1, pageSize) / pageSize * pageSize
        let flags = Int32(MAP_PRIVATE) | Int32(MAP_ANONYMOUS)
        guard let page = mmap(nil, room, PROT_READ | PROT_WRITE, flags, -1, 0), page != MAP_FAILED else {
            // As where any other allocation fails.
            preconditionFailure("there is no memory for a key")
        }
        self.page = page
        self.count = count
        // Before the bytes come, so that they are not swapped out in between.
        isLocked = mlock(page, room) == 0
        madvise(page, room, Int32(MADV_DONTDUMP))
        madvise(page, room, Int32(MADV_WIPEONFORK))
        try filling(UnsafeMutableRawBufferPointer(start: page, count: count))
    }

    deinit {
        explicit_bzero(page, room)
        munlock(page, room)
        munmap(page, room)
    }

    /// Lends the bytes for the length of a call.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(start: page, count: count)) }
    }

    /// Whether the kernel would lock one more page now.
    package static var canLock: Bool {
        withUnsafeBytes(of: UInt8(0)) { LockedBytes(copying: $0).isLocked }
    }
}

extension LockedBytes: CustomReflectable {
    /// A mirror without children: where the bytes lie is nobody's business either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
