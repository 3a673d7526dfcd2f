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
            made = try KeyGenerator(random: Self.randomBytes).addKey(to: known)
        } catch {
            throw .configuration("\(path): \(error)")
        }
        try replace(with: made.set)
        return made.id
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// What the file holds; nil if there is none.
    private func contents() throws(DaemonFailure) -> [UInt8]? {
        do {
            return try FileReading.system.read(path, Self.longest).bytes
        } catch {
            switch error {
            case .missing: return nil
            case .unreadable(let reason): throw .configuration("\(path) cannot be read: \(reason)")
            }
        }
    }

    /// Puts a new file in the place of the old one, if there is one with its owner and mode. Once this returns, a loss of
    /// power does not undo it: what is sealed from then on could not be opened without the key.
    private func replace(with set: [UInt8]) throws(DaemonFailure) {
        let draft = path + ".new"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            guard errno == EEXIST else { throw failure("cannot be written", draft) }
            throw .temporary("\(draft) is there: another keygen is at work, or was cut off; then remove it")
        }
        defer { close(file) }
        var old = stat()
        if stat(path, &old) == 0 {
            guard fchown(file, old.st_uid, old.st_gid) == 0, fchmod(file, old.st_mode & 0o777) == 0 else {
                throw removing(draft, failure("cannot be given the old file's owner", draft))
            }
        }
        guard write(file, set, set.count) == set.count, fsync(file) == 0, rename(draft, path) == 0 else {
            throw removing(draft, failure("cannot be written"))
        }
        try keepFolder()
    }

    /// Has the folder remember the new file.
    private func keepFolder() throws(DaemonFailure) {
        let end = path.lastIndex(of: "/")
        let name = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("may not have been kept", name) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("may not have been kept", name) }
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
