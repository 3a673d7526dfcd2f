// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc

/// What stands at a loopback address where the metrics are to be, looked at without staying there.
package enum LoopbackSite: Hashable, Sendable {
    /// Nothing; it can be listened at.
    case free
    /// A daemon of this product gives its metrics there.
    case daemon
    /// Something else listens there, or does not answer in time.
    case taken
    /// It cannot be listened at, for the system's reason.
    case unusable(String)

    /// Looks; blocks for as long as who listens there takes to answer, at most twice so many milliseconds.
    package static func look(at address: LoopbackAddress, forMilliseconds limit: Int32) -> LoopbackSite {
        switch binding(to: address) {
        case 0: .free
        case EADDRINUSE: givesMetrics(at: address, limit) ? .daemon : .taken
        case let code: .unusable(systemErrorText(code))
        }
    }

    /// The number of the error of an attempt to listen there; 0 if it went well.
    private static func binding(to address: LoopbackAddress) -> Int32 {
        withSocket(at: address) { descriptor, pointer, length in
            // As the daemon does: what is left of old connections is nobody who listens.
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, pointer, length) == 0 && listen(descriptor, 1) == 0 ? 0 : errno
        } ?? EAFNOSUPPORT
    }

    private static func givesMetrics(at address: LoopbackAddress, _ limit: Int32) -> Bool {
        withSocket(at: address) { descriptor, pointer, length in
            var patience = timeval(tv_sec: Int(limit) / 1000, tv_usec: Int(limit) % 1000 * 1000)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
            }
            guard connect(descriptor, pointer, length) == 0 else { return false }
            let request = Array("GET /metrics HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8)
            guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
            // The first bytes to come are enough: whatever else listens there does not begin so.
            var reply = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &reply, reply.count, 0)
            let text = String(decoding: reply.prefix(max(count, 0)), as: UTF8.self)
            return text.hasPrefix("HTTP/1.1 200 ") && text.contains("process_max_fds")
        } ?? false
    }

    /// Gives a new TCP socket and the address in the system's form; nil where this machine has no such addresses.
    private static func withSocket<Value>(
        at address: LoopbackAddress,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, let pointer = found.pointee.ai_addr else { return nil }
        defer { close(descriptor) }
        return body(descriptor, pointer, found.pointee.ai_addrlen)
    }
}
