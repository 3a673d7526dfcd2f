// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A lock on the making of a socket, which leaves nothing behind.
///
/// It is a file beside the socket that only the daemon's own user can open: a lock on the folder could be held by whoever may
/// read that, and the daemon be kept from starting.
struct StartLock {
    /// Each try but the last found a file whose owner removed it at that moment.
    private static let tries = 10

    private let descriptor: Int32
    private let path: String

    /// Takes the lock; fails at once if another process has it, which then is starting on the same path.
    init(for socket: String) throws(SocketServerError) {
        path = socket + ".lock"
        for _ in 0..<Self.tries {
            if let descriptor = try Self.take(path, for: socket) {
                self.descriptor = descriptor
                return
            }
        }
        throw .inUse(path: socket)
    }

    /// Nil if the file was removed before it could be locked: then it locks nothing.
    private static func take(_ path: String, for socket: String) throws(SocketServerError) -> Int32? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            let isMissing = errno == ENOENT || errno == ENOTDIR
            throw isMissing ? .noFolder(path: socket) : systemFailure("open of \(path)", socket)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error: SocketServerError = errno == EWOULDBLOCK ? .inUse(path: socket) : systemFailure("flock", socket)
            close(descriptor)
            throw error
        }
        var (held, found) = (stat(), stat())
        if fstat(descriptor, &held) == 0, lstat(path, &found) == 0, held.st_ino == found.st_ino,
            held.st_dev == found.st_dev
        {
            return descriptor
        }
        close(descriptor)
        return nil
    }

    /// Gives the lock back.
    func release() {
        unlink(path)
        close(descriptor)
    }
}
