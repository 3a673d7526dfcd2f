// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// How configuration files and secrets are read; tests hand in their own.
package struct FileReading: Sendable {
    /// What was read.
    package struct Contents: Hashable, Sendable {
        /// The bytes, all of them.
        package let bytes: [UInt8]
        /// The permission bits, `mode & 0o777`.
        package let mode: UInt32

        /// Puts together what was read.
        package init(bytes: [UInt8], mode: UInt32) {
            self.bytes = bytes
            self.mode = mode
        }
    }

    /// Why a file could not be read.
    package enum Failure: Error, Hashable, Sendable {
        /// There is none at that path.
        case missing
        /// There is one, and this is why it cannot be read.
        case unreadable(String)
    }

    /// Reads a whole file of at most so many bytes.
    package let read: @Sendable (_ path: String, _ limit: Int) throws(Failure) -> Contents

    /// Takes a way to read files.
    package init(read: @escaping @Sendable (_ path: String, _ limit: Int) throws(Failure) -> Contents) {
        self.read = read
    }

    /// Reads from the machine's file system.
    package static let system = FileReading { path, limit throws(Failure) in
        // Without O_NONBLOCK the opening of a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        return try contents(of: descriptor, limit: limit)
    }

    private static func contents(of descriptor: Int32, limit: Int) throws(Failure) -> Contents {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
            guard more > 0 else { break }
            count += more
        }
        guard count <= limit else { throw .unreadable("it is longer than \(limit) bytes") }
        return Contents(bytes: Array(bytes[..<count]), mode: status.st_mode & 0o777)
    }
}
