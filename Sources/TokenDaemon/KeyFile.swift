// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCipher

/// The file of a JWK Set, as `tastytokend keygen` writes it: made with mode 0600, and replaced as a whole, so that a daemon
/// that reads it meanwhile finds the one set or the other.
package struct KeyFile: Sendable {
    /// What a set of some hundreds of keys takes.
    private static let longest = 64 * 1024

    private let path: String

    /// The file at that path; nothing is done yet.
    package init(_ path: String) {
        self.path = path
    }

    /// Adds a key, which seals from the next reload on.
    ///
    /// - Returns: the new key's id.
    /// - Throws: what keeps it from being added; the file is as it was then.
    package func addKey() throws(DaemonFailure) -> String {
        let known = try contents()
        let made: (set: [UInt8], id: String)
        do {
            made = try KeyGenerator(random: Self.randomBytes).addKey(to: known?.bytes)
        } catch {
            throw .configuration("\(path): \(error)")
        }
        try replace(with: made.set, like: known)
        return made.id
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private func contents() throws(DaemonFailure) -> (bytes: [UInt8], status: stat)? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot be read")
        }
        defer { close(file) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: Self.longest + 1)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0, fstat(file, &status) == 0 else { throw failure("cannot be read") }
        guard count <= Self.longest else { throw .configuration("\(path) is longer than \(Self.longest) bytes") }
        return (Array(bytes.prefix(count)), status)
    }

    /// Puts a new file in the place of the old one, with the same owner and mode.
    private func replace(with set: [UInt8], like old: (bytes: [UInt8], status: stat)?) throws(DaemonFailure) {
        let draft = path + ".new"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            guard errno == EEXIST else { throw failure("cannot be written", draft) }
            throw .temporary("\(draft) is there: another keygen is at work, or was cut off; then remove it")
        }
        defer { close(file) }
        if let status = old?.status {
            guard fchown(file, status.st_uid, status.st_gid) == 0, fchmod(file, status.st_mode & 0o777) == 0 else {
                throw removing(draft, failure("cannot be given the old file's owner", draft))
            }
        }
        guard write(file, set, set.count) == set.count, fsync(file) == 0, rename(draft, path) == 0 else {
            throw removing(draft, failure("cannot be written"))
        }
    }

    private func removing(_ draft: String, _ failure: DaemonFailure) -> DaemonFailure {
        unlink(draft)
        return failure
    }

    /// The last system call's failure.
    private func failure(_ what: String, _ path: String? = nil) -> DaemonFailure {
        .system("\(path ?? self.path) \(what): \(String(cString: strerror(errno)))")
    }
}
