// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing

/// Everything that is in another process's memory and can be read there (proc(5), `/proc/PID/mem`). It takes root.
struct ProcessMemory {
    /// How much is looked through at a time; what is searched for is shorter by far.
    private static let portion = 1 << 20

    let process: Int32

    /// How often each of these stands there, at whatever place. The process goes on meanwhile.
    func counts(of needles: [String: [UInt8]]) throws -> [String: Int] {
        let memory = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(process)/mem"))
        defer { try? memory.close() }
        var counts = needles.mapValues { _ in 0 }
        for range in try readableRanges() {
            search(range, of: memory.fileDescriptor, for: needles, &counts)
        }
        return counts
    }

    /// The addresses that can be read, but for those of the kernel's own pages.
    private func readableRanges() throws -> [Range<UInt64>] {
        try maps().split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 5, words[1].hasPrefix("r"), !line.hasSuffix("[vvar]"), !line.hasSuffix("[vsyscall]")
            else { return nil }
            let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            return try ends.first.map { start in start..<(try #require(ends.last)) }
        }
    }

    /// The kernel gives a page at a time, which Foundation takes for the file's end.
    private func maps() throws -> String {
        let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(process)/maps"))
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(file.fileDescriptor, &page, page.count), count > 0 { bytes += page[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func search(
        _ range: Range<UInt64>,
        of memory: Int32,
        for needles: [String: [UInt8]],
        _ counts: inout [String: Int]
    ) {
        let overlap = (needles.values.map(\.count).max() ?? 1) - 1
        var buffer = [UInt8](repeating: 0, count: Self.portion + overlap)
        var start = range.lowerBound
        while start < range.upperBound {
            let wanted = min(buffer.count, Int(range.upperBound - start))
            let count = buffer.withUnsafeMutableBytes { pread(memory, $0.baseAddress, wanted, off_t(start)) }
            // Ranges come and go, and some cannot be read after all.
            guard count > 0 else { return }
            buffer.withUnsafeBytes { bytes in
                let window = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                for (name, needle) in needles {
                    counts[name, default: 0] += Self.count(of: needle, in: window, beginningWithin: Self.portion)
                }
            }
            start += UInt64(min(count, Self.portion))
        }
    }

    /// How often the needle stands there whole; what begins behind the limit is the next window's.
    private static func count(of needle: [UInt8], in window: UnsafeRawBufferPointer, beginningWithin limit: Int) -> Int
    {
        guard let start = window.baseAddress, let first = needle.first else { return 0 }
        let end = min(limit, window.count - needle.count + 1)
        var (count, place) = (0, 0)
        while place < end, let found = memchr(start + place, Int32(first), end - place) {
            if memcmp(found, needle, needle.count) == 0 { count += 1 }
            place = UnsafeRawPointer(found) - start + 1
        }
        return count
    }
}
