// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCipher

/// The file of the daemon's own key: 32 bytes as they are, nothing else, for its owner alone.
struct LocalKeyFile: Sendable {
    /// The name of the file.
    static let name = "local-key"
    /// How long a key is, in bytes.
    static let length = 32

    private let folder: String
    private let path: String

    /// The file in that folder; nothing is done yet.
    init(in folder: String) {
        self.folder = folder
        path = "\(folder)/\(Self.name)"
    }

    /// What would keep a daemon from starting; nil also where there is no key yet.
    var fault: LocalKeyFault? {
        do throws(LocalKeyFault) {
            _ = try read()
            return nil
        } catch {
            return error
        }
    }

    /// The key; nil if there is none, or the folder cannot be looked into.
    func read() throws(LocalKeyFault) -> LockedBytes? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { throw LocalKeyFault(path, .unreadable(Self.lastError)) }
        defer { close(file) }
        guard fstat(file, &status) == 0 else { throw LocalKeyFault(path, .unreadable(Self.lastError)) }
        if let kind = Self.fault(status) { throw LocalKeyFault(path, kind) }
        return try LockedBytes(count: Self.length) { (room) throws(LocalKeyFault) in
            guard pread(file, room.baseAddress, room.count, 0) == room.count else {
                throw LocalKeyFault(path, .unreadable(Self.lastError))
            }
        }
    }

    /// As ssh(1) has it for the keys of a person: who else could read it may have it already, and who else could write it
    /// may have chosen it.
    private static func fault(_ status: stat) -> LocalKeyFault.Kind? {
        guard status.st_mode & S_IFMT == S_IFREG else { return .notAFile }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { return .owner(status.st_uid) }
        guard status.st_mode & 0o077 == 0 else { return .mode(status.st_mode & 0o777) }
        return status.st_size == length ? nil : .length(Int(status.st_size))
    }

    /// Keeps a key, if there is none yet. It has its name only once it is whole, and a loss of power does not undo it.
    ///
    /// - Returns: why it was not kept; nil if it was, or another one has been meanwhile.
    func make(_ key: LockedBytes, draftNumber: UInt64) -> String? {
        let draft = "\(path).\(String(draftNumber, radix: 16))"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return "\(draft): \(Self.lastError)" }
        defer {
            close(file)
            unlink(draft)
        }
        let isWhole = key.withBytes { write(file, $0.baseAddress, $0.count) == $0.count }
        guard isWhole, fchmod(file, 0o600) == 0, fsync(file) == 0, link(draft, path) == 0 || errno == EEXIST else {
            return "\(path): \(Self.lastError)"
        }
        return keepFolder()
    }

    /// Has the folder remember the new name.
    private func keepFolder() -> String? {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return "\(folder): \(Self.lastError)" }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? nil : "\(folder): \(Self.lastError)"
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}

/// Why a key that is there is not used.
struct LocalKeyFault: Error, Hashable, CustomStringConvertible {
    /// What is wrong with it.
    enum Kind: Hashable {
        /// It cannot be read, and why.
        case unreadable(String)
        /// It is no regular file.
        case notAFile
        /// It belongs to that user.
        case owner(UInt32)
        /// Others than its owner may do something with it.
        case mode(UInt32)
        /// It has so many bytes.
        case length(Int)
    }

    private let path: String
    private let kind: Kind

    /// Of the file at that path.
    init(_ path: String, _ kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// What is wrong, with which file.
    var description: String {
        switch kind {
        case .unreadable(let reason): "\(path) cannot be read: \(reason)"
        case .notAFile: "\(path) is no regular file"
        case .owner(let user): "\(path) belongs to user \(user), and the daemon is user \(geteuid())"
        case .mode(let mode): "\(path) has mode 0\(String(mode, radix: 8)), so that others than its owner get at it"
        case .length(let length): "\(path) has \(length) bytes, and a key has \(LocalKeyFile.length)"
        }
    }

    /// What to do.
    var remedy: String {
        let anew = "remove it, and a new one is made; what it sealed on this host is lost then"
        return switch kind {
        case .unreadable: "let the daemon's user read it"
        case .notAFile, .length: "put the right file back, or \(anew)"
        case .owner: "chown it to the daemon's user, or \(anew)"
        case .mode: "chmod 600 it, or, if others may have read it, \(anew)"
        }
    }
}
