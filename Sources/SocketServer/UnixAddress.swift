// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc

/// The address of a Unix socket with a path (unix(7)).
struct UnixAddress {
    /// Not blocking, closed on exec.
    static let descriptorFlags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    /// Stream, with these flags.
    static let streamType = Int32(SOCK_STREAM.rawValue) | descriptorFlags

    private let path: String
    private let address: sockaddr_un

    /// The address of a path; fails if it does not fit, its closing NUL included.
    init(_ path: String) throws(SocketServerError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard path.utf8.count < place.count else { return false }
            place.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw .pathTooLong(path: path, bytes: path.utf8.count) }
        self.path = path
        self.address = address
    }

    /// The path that a socket was bound to; nil if that has none, or is too long for a closing NUL.
    static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafeMutableBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        guard status == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        return withUnsafeBytes(of: address.sun_path) { place in
            // An abstract name begins with a NUL, and no name is no byte at all.
            let path = place.prefix { $0 != 0 }
            return path.isEmpty || path.count == place.count ? nil : String(decoding: path, as: UTF8.self)
        }
    }

    /// Lends the address to a system call.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                guard let base = pointer.baseAddress else { preconditionFailure("an address is never empty") }
                return body(base, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Removes what a dead process left at the path; fails if a live one answers there, or if it is no socket.
    func removeIfStale() throws(SocketServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw systemFailure("stat", path)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        guard try !isAnswered() else { throw .inUse(path: path) }
        guard unlink(path) == 0 || errno == ENOENT else { throw systemFailure("unlink", path) }
    }

    /// Whether somebody listens. A full queue (`EAGAIN`) and a missing right (`EACCES`) are signs of life too.
    private func isAnswered() throws(SocketServerError) -> Bool {
        let probe = socket(AF_UNIX, Self.streamType, 0)
        guard probe >= 0 else { throw systemFailure("socket", path) }
        defer { close(probe) }
        guard withPointer({ connect(probe, $0, $1) }) != 0 else { return true }
        return errno != ECONNREFUSED && errno != ENOENT
    }
}

/// The last system call's error as an error of ours; to be called before anything else can fail.
func systemFailure(_ call: String, _ path: String) -> SocketServerError {
    .system(call: call, path: path, error: systemErrorText())
}

/// The last system call's error in words.
func systemErrorText(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}
