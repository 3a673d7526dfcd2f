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

    /// The file at that path, or the one that a link there leads to; nothing is done yet.
    package init(_ path: String) {
        let target = realpath(path, nil)
        defer { free(target) }
        self.path = target.map { String(cString: $0) } ?? path
    }

    /// Adds a key, which seals from the next reload on.
    ///
    /// - Returns: the new key's id.
    /// - Throws: what keeps it from being added; the file is as it was then.
    package func addKey() throws(DaemonFailure) -> String {
        // Before the set is read: a key that another one adds meanwhile would be lost.
        var draft = try Draft(of: path)
        let known = try contents()
        let made: (set: [UInt8], id: String)
        do {
            made = try KeyGenerator(random: SystemRandom.bytes).addKey(to: known)
        } catch {
            throw .configuration("\(path): \(error)")
        }
        try draft.replace(with: made.set)
        return made.id
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
}

/// The file that takes the place of the old one. While it is there nobody else adds a key.
private struct Draft: ~Copyable {
    private let path: String
    private let name: String
    private let file: CInt
    private var isInPlace = false

    /// Makes it; fails where there is one.
    init(of path: String) throws(DaemonFailure) {
        let name = path + ".new"
        let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            guard errno == EEXIST else { throw Self.failure(name, "cannot be written") }
            throw .temporary("\(name) is there: another keygen is at work, or was cut off; then remove it")
        }
        (self.path, self.name, self.file) = (path, name, file)
    }

    deinit {
        close(file)
        // By then another keygen may have a draft of that name.
        if !isInPlace { unlink(name) }
    }

    /// Puts it in the place of the old one, if there is one with its owner and mode. Once this returns, a loss of power does not
    /// undo it: what is sealed from then on could not be opened without the key.
    mutating func replace(with set: [UInt8]) throws(DaemonFailure) {
        var old = stat()
        if stat(path, &old) == 0 {
            guard fchown(file, old.st_uid, old.st_gid) == 0, fchmod(file, old.st_mode & 0o777) == 0 else {
                throw Self.failure(name, "cannot be given the old file's owner and group")
            }
        }
        let count = write(file, set, set.count)
        // A disk that takes a part of it only says no more than that.
        if count >= 0, count < set.count { errno = ENOSPC }
        guard count == set.count, fsync(file) == 0, rename(name, path) == 0 else {
            throw Self.failure(path, "cannot be written")
        }
        isInPlace = true
        try keepFolder()
    }

    /// Has the folder remember the new file.
    private func keepFolder() throws(DaemonFailure) {
        let end = path.lastIndex(of: "/")
        let name = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure(name, "may not have been kept") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.failure(name, "may not have been kept") }
    }

    /// The last system call's failure.
    private static func failure(_ path: String, _ what: String) -> DaemonFailure {
        .system("\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
