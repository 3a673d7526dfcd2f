// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

/// Asks the daemon one question over its socket: connects, sends, reads the reply, and hangs up.
///
/// It is blocking and small, since the whole process lives for one question. Every wait ends at the deadline.
struct SocketClient: Equatable {
    /// Where the daemon listens.
    let path: String

    /// Seconds that the daemon may take beyond what it was asked to wait.
    static let patience = 5

    /// Takes the path that was given, or else the environment's, or else the one of an installed daemon.
    init(at path: String?) {
        self.path = path ?? Self.fromEnvironment ?? SocketLocation.standard
    }

    private static var fromEnvironment: String? {
        guard let value = getenv(SocketLocation.variable) else { return nil }
        let path = String(cString: value)
        return path.isEmpty ? nil : path
    }

    /// Makes a `GET` request.
    ///
    /// - Parameters:
    ///   - target: the path and query, as ``APIPath`` makes them.
    ///   - seconds: how long it may take in all.
    /// - Returns: the reply, whatever its status.
    /// - Throws: why there is none.
    func get(_ target: String, within seconds: Int) throws(Failure) -> HTTPReply {
        let deadline = Deadline(after: seconds)
        let descriptor = try connected(deadline)
        defer { close(descriptor) }
        let request = "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"
        try send(Array(request.utf8), to: descriptor, deadline)
        return try receive(from: descriptor, deadline)
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32, _ deadline: Deadline) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try wait(for: POLLOUT, of: descriptor, deadline)
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno == EPIPE {
                // It may have said why before it hung up.
                return
            } else if errno != EINTR, errno != EAGAIN {
                throw broken
            }
        }
    }

    private func receive(from descriptor: Int32, _ deadline: Deadline) throws(Failure) -> HTTPReply {
        var bytes: [UInt8] = []
        while true {
            try wait(for: POLLIN, of: descriptor, deadline)
            let chunk = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
                count = max(recv(descriptor, buffer.baseAddress, buffer.count, 0), 0)
            }
            guard !chunk.isEmpty else { throw broken }
            bytes += chunk
            if let reply = try HTTPReply.parse(bytes) { return reply }
        }
    }

    private func wait(for events: Int32, of descriptor: Int32, _ deadline: Deadline) throws(Failure) {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let ready = poll(&entry, 1, deadline.millisecondsLeft)
            if ready > 0 { return }
            if ready == 0 {
                throw Failure(
                    .tryLater,
                    "the daemon at \(path) did not answer in time; see systemctl status tastytokend"
                )
            }
            if errno != EINTR { throw broken }
        }
    }

    private var broken: Failure {
        Failure(.tryLater, "the daemon at \(path) hung up before its reply was whole; try again")
    }
}

extension SocketClient {
    /// A connected socket. The kernel lets a Unix socket connect at once or, where many others wait, in its turn.
    private func connected(_ deadline: Deadline) throws(Failure) -> Int32 {
        guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw Failure(.usage, "the socket's path is too long: \(path)")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw unreachable(errno) }
        var patience = timeval(tv_sec: Int(deadline.millisecondsLeft / 1000), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard connect(descriptor) == 0 else {
            let failure = unreachable(errno)
            close(descriptor)
            throw failure
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    private func connect(_ descriptor: Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private func unreachable(_ error: Int32) -> Failure {
        switch error {
        case ENOENT, ECONNREFUSED:
            Failure(
                .noDaemon,
                "no daemon listens at \(path); start it (systemctl start tastytokend), or give its --socket"
            )
        case EACCES, EPERM:
            Failure(
                .notAllowed,
                "user id \(geteuid()) may not open \(path); its file mode keeps it out, as socket.mode and socket.group say"
            )
        case EAGAIN, EINPROGRESS, EINTR:
            Failure(.tryLater, "the daemon at \(path) is too busy to answer; try again")
        default:
            Failure(.noDaemon, "cannot connect to \(path): \(String(cString: strerror(error)))")
        }
    }
}

/// A time on the clock that nobody sets.
private struct Deadline {
    private let end: Int64

    init(after seconds: Int) {
        self.end = Self.now + Int64(seconds) * 1000
    }

    /// Milliseconds until then, for poll(2); zero once it is over.
    var millisecondsLeft: Int32 {
        Int32(clamping: max(end - Self.now, 0))
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
