// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import SocketAPI

/// What stands where the socket is to be, looked at without touching it.
package enum SocketSite: Hashable, Sendable {
    /// Nothing; the socket can be made there.
    case free
    /// A socket that nobody listens at any more; the start removes it.
    case stale
    /// A daemon of this product answers there.
    case daemon
    /// Such a daemon is there, and takes no more connections now.
    case full
    /// Somebody listens there who is not it, or does not answer in time.
    case stranger
    /// Somebody listens there whom this user may not ask.
    case closed
    /// Something that is no socket.
    case notASocket
    /// There is no folder for it.
    case noFolder
    /// This user may not make files in the folder.
    case notWritable

    /// Looks; blocks for as long as a daemon there takes to answer, at most so many milliseconds.
    package static func look(at path: String, forMilliseconds limit: Int32) -> SocketSite {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? look(atFolderOf: path) : .notWritable
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .notASocket }
        guard let address = try? UnixAddress(path) else { return .notASocket }
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        guard descriptor >= 0 else { return .closed }
        defer { close(descriptor) }
        guard address.withPointer({ connect(descriptor, $0, $1) }) == 0 else {
            switch errno {
            case ECONNREFUSED, ENOENT: return look(atFolderOf: path) == .free ? .stale : look(atFolderOf: path)
            case EACCES, EPERM: return .closed
            default: return .stranger
            }
        }
        return ask(descriptor, limit)
    }

    private static func look(atFolderOf path: String) -> SocketSite {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return .noFolder }
        return faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ? .free : .notWritable
    }

    /// Asks for what takes no right.
    private static func ask(_ descriptor: Int32, _ limit: Int32) -> SocketSite {
        let request = Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        // A daemon that is full has answered before it is asked, and may have closed: its answer can be read all the same.
        _ = send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, limit) == 1 else { return .stranger }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        let text = String(decoding: reply.prefix(max(count, 0)), as: UTF8.self)
        if text.hasPrefix("HTTP/1.1 200 "), text.contains("alive") { return .daemon }
        let isFull = text.hasPrefix("HTTP/1.1 503 ") && text.contains("\"code\":\"\(ProblemCode.overloaded.rawValue)\"")
        return isFull ? .full : .stranger
    }
}
