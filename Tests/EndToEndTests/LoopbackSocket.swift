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
