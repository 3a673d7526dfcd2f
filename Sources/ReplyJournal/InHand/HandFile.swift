// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Synchronization

/// Why there is no file of accounts in hand.
package struct HandFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened to which file, and what to do.
    package let description: String
}

/// The file of accounts in hand, in memory that outlives the process: a shared mapping, so that no word of it needs a system call.
///
/// It is held locked until ``letGo()``. The mapping stays for as long as the process: threads that end may still clear their slots in it.
///
/// Unchecked, since a pointer is not Sendable: behind it are nothing but atomic words.
final class HandFile: @unchecked Sendable {
    private static let byteCount = HandScan.wordCount * 8

    /// Where it is.
    let path: String
    /// What it holds; ``HandScan`` says where.
    let words: UnsafeMutablePointer<Atomic<UInt64>>
    /// What was in it before, word by word.
    let found: [UInt64]
    /// What was wrong with what was there, so that it was begun anew; nil if nothing was.
    let damage: String?
    private let descriptor: LockedDescriptor

    /// Takes the file of that name in that folder, or makes it, with room for all of it: a page for which the disk has no room would
    /// end the process when it is written to.
    ///
    /// - Throws: why it cannot be had.
    init(in folder: String, named name: String) throws(HandFailure) {
        path = "\(folder)/\(name)"
        let file = try Self.opened(path)
        // From here on whatever is thrown closes it.
        descriptor = LockedDescriptor(file)
        damage = try Self.prepare(file, path)
        found = try Self.read(file, path)
        let mapping = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let mapping, mapping != MAP_FAILED else { throw Self.failure(path, "mapped", errno) }
        words = mapping.bindMemory(to: Atomic<UInt64>.self, capacity: HandScan.wordCount)
    }

    /// Lets another process have it.
    func letGo() { descriptor.letGo() }

    /// Has the disk know what is in it, so that a loss of power does not bring back what was there before.
    func keep() {
        msync(UnsafeMutableRawPointer(words), Self.byteCount, MS_SYNC)
    }

    private static func opened(_ path: String) throws(HandFailure) -> CInt {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard file >= 0 else { throw failure(path, "opened", errno) }
        do throws(HandFailure) {
            var status = stat()
            guard fstat(file, &status) == 0 else { throw failure(path, "looked at", errno) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw HandFailure(description: "\(path) is no regular file: remove it")
            }
            guard status.st_uid == geteuid() else {
                let owner = "belongs to user \(status.st_uid), and the daemon is user \(geteuid())"
                throw HandFailure(description: "\(path) \(owner): remove it, or chown it to the daemon's user")
            }
            guard status.st_mode & 0o022 == 0 else {
                throw HandFailure(description: "\(path) can be written by others than its owner: chmod 600 it")
            }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { throw HandFailure(description: "\(path): another process holds it") }
                throw failure(path, "locked", errno)
            }
        } catch {
            close(file)
            throw error
        }
        return file
    }

    /// Makes room for all of it.
    private static func prepare(_ file: CInt, _ path: String) throws(HandFailure) -> String? {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path, "looked at", errno) }
        var damage: String?
        if status.st_size != 0, Int(status.st_size) != byteCount {
            damage = "\(path) had \(status.st_size) bytes, and should have \(byteCount)"
            guard ftruncate(file, 0) == 0 else { throw failure(path, "emptied", errno) }
        }
        var code: CInt
        repeat { code = posix_fallocate(file, 0, off_t(byteCount)) } while code == EINTR
        guard code == 0 else { throw failure(path, "given room", code) }
        return damage
    }

    /// Read, not looked up in the mapping: of a disk that fails this says so, and the mapping would end the process.
    private static func read(_ file: CInt, _ path: String) throws(HandFailure) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: HandScan.wordCount)
        let count = words.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count == byteCount else { throw failure(path, "read", count < 0 ? errno : EIO) }
        return words
    }

    private static func failure(_ path: String, _ what: String, _ code: CInt) -> HandFailure {
        let reason = String(cString: strerror(code))
        return HandFailure(
            description: "\(path) could not be \(what): \(reason); see that the daemon's user can write it"
        )
    }
}

/// A descriptor, and with it the lock on its file, which go with the last who holds this, or before.
private final class LockedDescriptor: Sendable {
    private let descriptor: Atomic<CInt>

    init(_ descriptor: CInt) {
        self.descriptor = Atomic(descriptor)
    }

    deinit { letGo() }

    func letGo() {
        let file = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        guard file >= 0 else { return }
        // To close it is not enough: the mapping keeps what the lock belongs to.
        flock(file, LOCK_UN)
        close(file)
    }
}
