// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Where callers connect.
package enum SocketPlace: Hashable, Sendable {
    /// A listening descriptor that somebody else made (systemd); it stays theirs, path and all.
    case inherited(Int32)
    /// A path of our own, with the mode of its file, and its group if that is not the daemon's.
    case path(String, mode: UInt32, group: UInt32?)
}

/// Why there is no socket to listen on. The words name the path and say what to do.
package enum SocketServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process answers there (exit 69).
    case inUse(path: String)
    /// The path does not fit into an address (unix(7): 107 bytes).
    case pathTooLong(path: String, bytes: Int)
    /// Something that is no socket is in the way, and is not ours to remove.
    case notASocket(path: String)
    /// There is no folder for it.
    case noFolder(path: String)
    /// The inherited descriptor is not what it should be.
    case unsuitableDescriptor(Int32, reason: String)
    /// A system call failed.
    case system(call: String, path: String, error: String)
    /// The server was started before.
    case alreadyStarted

    /// One line for people.
    package var description: String {
        switch self {
        case .inUse(let path):
            "the socket \(path) is in use by another process; stop that one, or give this one another socket.path"
        case .pathTooLong(let path, let bytes):
            "the socket's path is \(bytes) bytes long and may be 107: \(path); choose a shorter socket.path"
        case .notASocket(let path):
            "\(path) exists and is no socket; remove it, or choose another socket.path"
        case .noFolder(let path):
            "there is no folder for the socket \(path); make it (RuntimeDirectory=), or choose another socket.path"
        case .unsuitableDescriptor(let descriptor, let reason):
            "the inherited descriptor \(descriptor) is no listening Unix stream socket: \(reason)"
        case .system(let call, let path, let error):
            "\(call) failed for the socket \(path): \(error)"
        case .alreadyStarted:
            "the socket server was started before"
        }
    }
}

/// A descriptor that listens, and what must be cleaned up after it.
struct ListeningSocket {
    /// The descriptor, not blocking, closed on exec. Whoever takes it closes it.
    let descriptor: Int32
    /// The file that was made for it; nil for an inherited one.
    let file: SocketFile?

    /// Adopts or makes the socket.
    static func open(_ place: SocketPlace, backlog: Int32) throws(SocketServerError) -> ListeningSocket {
        switch place {
        case .inherited(let descriptor): return try adopt(descriptor)
        case .path(let path, let mode, let group):
            return try bind(path, mode: mode, group: group, backlog: backlog)
        }
    }

    private static func adopt(_ descriptor: Int32) throws(SocketServerError) -> ListeningSocket {
        let expected: [(name: Int32, value: Int32, words: String)] = [
            (SO_DOMAIN, AF_UNIX, "it is no Unix socket"),
            (SO_TYPE, Int32(SOCK_STREAM.rawValue), "it is no stream socket"),
            (SO_ACCEPTCONN, 1, "it does not listen"),
        ]
        for (name, value, words) in expected {
            guard let found = option(name, of: descriptor) else {
                throw .unsuitableDescriptor(descriptor, reason: systemErrorText())
            }
            guard found == value else { throw .unsuitableDescriptor(descriptor, reason: words) }
        }
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw .unsuitableDescriptor(descriptor, reason: systemErrorText()) }
        return ListeningSocket(descriptor: descriptor, file: nil)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    /// Makes the socket at a path. From the look at what is there to the first connection a lock is held, so that of two
    /// daemons that start together one finds the other.
    private static func bind(
        _ path: String,
        mode: UInt32,
        group: UInt32?,
        backlog: Int32
    ) throws(SocketServerError) -> ListeningSocket {
        let address = try UnixAddress(path)
        let lock = try StartLock(for: path)
        defer { lock.release() }
        try address.removeIfStale()
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        guard descriptor >= 0 else { throw systemFailure("socket", path) }
        do throws(SocketServerError) {
            // Nobody can connect before listen(), so mode and group are in force from the first caller on.
            guard fchmod(descriptor, 0o600) == 0 else { throw systemFailure("fchmod", path) }
            guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
                throw systemFailure("bind", path)
            }
            let file = try SocketFile(at: path)
            if let group, lchown(path, uid_t.max, group) != 0 { throw file.failure(removing: "chown") }
            guard chmod(path, mode) == 0 else { throw file.failure(removing: "chmod") }
            guard listen(descriptor, backlog) == 0 else { throw file.failure(removing: "listen") }
            return ListeningSocket(descriptor: descriptor, file: file)
        } catch {
            close(descriptor)
            throw error
        }
    }
}

/// A socket file that this process made.
struct SocketFile: Sendable {
    /// Where it is.
    let path: String
    private let device: UInt
    private let inode: UInt

    /// Remembers which file stands at the path.
    init(at path: String) throws(SocketServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw systemFailure("stat", path) }
        self.path = path
        self.device = UInt(status.st_dev)
        self.inode = UInt(status.st_ino)
    }

    /// Whether it still stands at its path. What cannot be looked at counts as gone.
    var isInPlace: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && UInt(status.st_dev) == device && UInt(status.st_ino) == inode
    }

    /// Removes the file, unless another one stands at its path by now.
    func remove() {
        if isInPlace { unlink(path) }
    }

    fileprivate func failure(removing call: String) -> SocketServerError {
        let error = systemFailure(call, path)
        remove()
        return error
    }
}
