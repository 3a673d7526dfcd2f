// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCore

/// The journal's file on disk. Every call may block; all are made on the journal's own queue.
///
/// Another file of the same name with `.lock` behind it is held locked for as long as the process lives: two processes that wrote
/// one journal would undo each other's.
struct JournalFile: ~Copyable {
    /// Where it is.
    let path: String
    private let folder: String
    private var lock: CInt = -1
    private var descriptor: CInt = -1
    /// How long what was written is.
    private(set) var length = 0

    /// The file of that name in that folder; nothing is done yet.
    init(in folder: String, named name: String) {
        self.folder = folder
        path = "\(folder)/\(name)"
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
        if lock >= 0 { Glibc.close(lock) }
    }

    /// Whether it can be written to: what is written to a file that was removed, or moved away, is found by nobody.
    var isOpen: Bool {
        var (held, named) = (stat(), stat())
        return descriptor >= 0 && fstat(descriptor, &held) == 0 && lstat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    /// Whether other processes are kept out.
    enum Lock: Equatable {
        /// They are.
        case taken
        /// One was there before.
        case takenElsewhere
        /// The file for it cannot be made; the reason is errno's.
        case impossible(String)
    }

    /// Keeps other processes out.
    mutating func takeLock() -> Lock {
        guard lock < 0 else { return .taken }
        let file = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return .impossible(Self.lastError) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            defer { close(file) }
            return errno == EWOULDBLOCK ? .takenElsewhere : .impossible(Self.lastError)
        }
        lock = file
        return .taken
    }

    /// Lets other processes in.
    mutating func leaveLock() {
        if lock >= 0 { close(lock) }
        lock = -1
    }

    /// Where the lock is held.
    var lockPath: String { "\(path).lock" }

    /// All that is in it; nil if there is no such file.
    func read() throws(JournalFailure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure()
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure() }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw JournalFailure("\(path): is no regular file; move it away")
        }
        guard status.st_size <= JournalForm.longestFile else {
            throw JournalFailure("\(path): is larger than a journal can be (\(status.st_size) bytes); move it away")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: count), $0.count - count, count)
            }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { throw failure() }
            count += more
        }
        return bytes
    }

    /// Opens what is there, to go on behind so many bytes of it; what comes after them is cut off.
    mutating func resume(at soundLength: Int) throws(JournalFailure) {
        let file = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw failure() }
        guard ftruncate(file, soundLength) == 0 else {
            defer { close(file) }
            throw failure()
        }
        take(file, length: soundLength)
    }

    /// Puts a file with these bytes in the place of the one there is. It has its name only once it is whole and durable.
    mutating func replace(with bytes: [UInt8]) throws(JournalFailure) {
        let draft = "\(path).new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure() }
        guard Self.write(bytes, to: file, at: 0), fsync(file) == 0, rename(draft, path) == 0 else {
            let reason = failure()
            close(file)
            unlink(draft)
            throw reason
        }
        take(file, length: bytes.count)
        guard keepFolder() else {
            let reason = failure()
            letGo()
            throw reason
        }
    }

    /// Writes behind what there is. If that fails nothing of it stays, or the file is let go of.
    ///
    /// - Parameters:
    ///   - bytes: whole records.
    ///   - isDurable: whether they outlive a loss of power when this returns.
    /// - Throws: why they are not written, or not durable.
    mutating func append(_ bytes: [UInt8], isDurable: Bool) throws(JournalFailure) {
        guard Self.write(bytes, to: descriptor, at: length) else {
            let reason = failure()
            if ftruncate(descriptor, length) != 0 { letGo() }
            throw reason
        }
        guard !isDurable || fdatasync(descriptor) == 0 else {
            // The kernel may take pages for written now that are not: what is in memory is written to another file next.
            let reason = failure()
            letGo()
            throw reason
        }
        length += bytes.count
    }

    /// Gives what there is another name besides, for a person to look at: it keeps its own until another file has that.
    func putAside(as name: String) throws(JournalFailure) {
        guard link(path, "\(folder)/\(name)") == 0 || errno == EEXIST else { throw failure() }
    }

    /// Writes no more to this file.
    mutating func letGo() {
        if descriptor >= 0 { close(descriptor) }
        (descriptor, length) = (-1, 0)
    }

    private mutating func take(_ file: CInt, length: Int) {
        letGo()
        (descriptor, self.length) = (file, length)
    }

    private static func write(_ bytes: [UInt8], to file: CInt, at offset: Int) -> Bool {
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress?.advanced(by: count), $0.count - count, offset + count)
            }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { return false }
            count += more
        }
        return true
    }

    /// Has the folder remember the new name.
    private func keepFolder() -> Bool {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return fsync(file) == 0
    }

    private func failure() -> JournalFailure { JournalFailure("\(path): \(Self.lastError)") }

    private static var lastError: String { String(cString: strerror(errno)) }
}
