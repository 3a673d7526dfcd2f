// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A socket that is there and does nothing.
final class LoopbackSocket: Sendable {
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    private let descriptors: [Int32]

    private init(_ descriptors: [Int32]) {
        self.descriptors = descriptors
    }

    deinit {
        descriptors.forEach { _ = close($0) }
    }

    /// Takes datagrams and answers none.
    static func deaf(at address: String, port: UInt16) throws -> LoopbackSocket {
        LoopbackSocket([try bound(SOCK_DGRAM.rawValue, address, port)])
    }

    /// Listens, and has no room left for a connection: who connects hears nothing, as from a host that is gone.
    static func full(at address: String, port: UInt16) throws -> LoopbackSocket {
        let listener = try bound(SOCK_STREAM.rawValue, address, port)
        guard listen(listener, 0) == 0 else { throw Failure(call: "listen", code: errno) }
        var descriptors = [listener]
        // A queue of length n takes n + 1.
        for _ in 0..<4 {
            let caller = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            descriptors.append(caller)
            _ = withAddress(address, port) { connect(caller, $0, $1) }
        }
        return LoopbackSocket(descriptors)
    }

    /// A port at which nobody listens now, and which the system gives to nobody else soon.
    static func freePort() throws -> UInt16 {
        let descriptor = try bound(SOCK_STREAM.rawValue, "127.0.0.1", 0)
        defer { _ = close(descriptor) }
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { throw Failure(call: "getsockname", code: errno) }
        return UInt16(bigEndian: name.sin_port)
    }

    /// Is connected to who listens there.
    static func caller(of address: String, port: UInt16) throws -> LoopbackSocket {
        let caller = LoopbackSocket([socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)])
        guard withAddress(address, port, { connect(caller.descriptors[0], $0, $1) }) == 0 else {
            throw Failure(call: "connect", code: errno)
        }
        return caller
    }

    /// Sends text to whom it is connected to.
    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Glibc.send(descriptors[0], bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failure(call: "send", code: errno)
        }
    }

    /// What comes first within twenty seconds.
    func receive() throws -> String {
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptors[0], SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptors[0], &bytes, bytes.count, 0)
        guard count > 0 else { throw Failure(call: "recv", code: errno) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func bound(_ type: UInt32, _ address: String, _ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(type), 0)
        var on: Int32 = 1
        _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard withAddress(address, port, { bind(descriptor, $0, $1) }) == 0 else {
            defer { _ = close(descriptor) }
            throw Failure(call: "bind", code: errno)
        }
        return descriptor
    }

    private static func withAddress(
        _ address: String,
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
