// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
package import TokenCore

/// What stands at an address where the metrics, or the web pages, are to be; looked at without staying there.
package enum LoopbackSite: Hashable, Sendable {
    /// Nothing; it can be listened at.
    case free
    /// A daemon of this product is there.
    case daemon
    /// Something else listens there, or does not answer in time.
    case taken
    /// It cannot be listened at, for the system's reason.
    case unusable(String)

    /// Bytes of an answer that are looked at. A daemon's own series stand within the first few thousand.
    private static let mostBytes = 1 << 20

    /// Looks; blocks for as long as who listens there takes to answer, at most so many milliseconds.
    package static func look(
        at address: LoopbackAddress,
        forMilliseconds limit: Int32,
        clock: @escaping ClockReading
    ) -> LoopbackSite {
        look(at: address.host, address.port, for: .metrics(at: address), forMilliseconds: limit, clock: clock)
    }

    /// Looks at any literal address for what a daemon says there; blocks as the other does.
    ///
    /// - Parameters:
    ///   - host: the address, IPv6 without its brackets.
    ///   - port: the port.
    ///   - sign: by what a daemon is known.
    ///   - limit: milliseconds that it may take at most.
    ///   - clock: both clocks.
    /// - Returns: what stands there.
    package static func look(
        at host: String,
        _ port: Int,
        for sign: DaemonSign,
        forMilliseconds limit: Int32,
        clock: @escaping ClockReading
    ) -> LoopbackSite {
        switch binding(to: host, port) {
        case 0: .free
        case EADDRINUSE: shows(sign, at: host, port, limit, clock) ? .daemon : .taken
        case let code: .unusable(systemErrorText(code))
        }
    }

    /// The number of the error of an attempt to listen there; 0 if it went well.
    private static func binding(to host: String, _ port: Int) -> Int32 {
        withSocket(at: host, port) { descriptor, pointer, length in
            // As the daemon does: what is left of old connections is nobody who listens.
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, pointer, length) == 0 && listen(descriptor, 1) == 0 ? 0 : errno
        } ?? EAFNOSUPPORT
    }

    private static func shows(
        _ sign: DaemonSign,
        at host: String,
        _ port: Int,
        _ limit: Int32,
        _ clock: @escaping ClockReading
    ) -> Bool {
        withSocket(at: host, port) { descriptor, pointer, length in
            let patience = SocketPatience(of: descriptor, .milliseconds(Int64(limit)), clock)
            guard patience.allows(SO_SNDTIMEO), connect(descriptor, pointer, length) == 0 else { return false }
            guard patience.allows(SO_SNDTIMEO),
                send(descriptor, sign.request, sign.request.count, Int32(MSG_NOSIGNAL)) == sign.request.count
            else { return false }
            return shows(sign, descriptor, patience)
        } ?? false
    }

    /// Reads an answer until the mark comes.
    private static func shows(_ sign: DaemonSign, _ descriptor: Int32, _ patience: SocketPatience) -> Bool {
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        var reply: [UInt8] = []
        while reply.count < mostBytes, patience.allows(SO_RCVTIMEO) {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { return false }
            // The mark may have begun in the piece before.
            let start = max(reply.count - sign.mark.count, 0)
            reply += piece.prefix(count)
            guard reply.starts(with: sign.begin.prefix(reply.count)) else { return false }
            if reply[start...].firstRange(of: sign.mark) != nil { return true }
        }
        return false
    }

    /// Gives a new TCP socket and the address in the system's form; nil where this machine has no such addresses.
    private static func withSocket<Value>(
        at host: String,
        _ port: Int,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, let pointer = found.pointee.ai_addr else { return nil }
        defer { close(descriptor) }
        return body(descriptor, pointer, found.pointee.ai_addrlen)
    }
}

/// How long all blocking calls on a socket may take together.
private struct SocketPatience {
    private let descriptor: Int32
    private let clock: ClockReading
    private let end: BootTime

    /// Begins now.
    init(of descriptor: Int32, _ time: Duration, _ clock: @escaping ClockReading) {
        self.descriptor = descriptor
        self.clock = clock
        end = clock().boot + time
    }

    /// Has the next call that the option is about (socket(7)) wait no longer than is left; false if nothing is.
    func allows(_ option: Int32) -> Bool {
        let left = end - clock().boot
        guard left > .zero else { return false }
        let (seconds, attoseconds) = left.components
        // None at all would mean to wait for ever.
        var time = timeval(tv_sec: Int(seconds), tv_usec: max(Int(attoseconds / 1_000_000_000_000), 1))
        return setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size)) == 0
    }
}
