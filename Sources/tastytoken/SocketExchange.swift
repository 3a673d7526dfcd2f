// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

/// One request on its way over a connection of its own, and its reply as far as it has come. Nothing but the beginning
/// blocks: whoever has it polls ``interest`` and then calls ``advance()``.
final class SocketExchange {
    private let path: String
    private let descriptor: Int32
    private var unsent: ArraySlice<UInt8>
    private var received: [UInt8] = []

    /// Connects. The kernel lets a Unix socket connect at once or, where many others wait, in its turn.
    init(_ request: SocketRequest, at path: String, before deadline: Deadline) throws(Failure) {
        self.path = path
        self.descriptor = try Self.connected(to: path, deadline)
        self.unsent = request.bytes[...]
    }

    deinit { close(descriptor) }

    /// What it waits for.
    var interest: pollfd {
        pollfd(fd: descriptor, events: Int16(unsent.isEmpty ? POLLIN : POLLOUT), revents: 0)
    }

    /// Sends or receives what is possible now.
    ///
    /// - Returns: the reply, once it is whole.
    /// - Throws: why there will be none.
    func advance() throws(Failure) -> HTTPReply? {
        guard unsent.isEmpty else {
            try send()
            return nil
        }
        return try receive()
    }

    private func send() throws(Failure) {
        let sent = unsent.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if sent > 0 {
            unsent = unsent.dropFirst(sent)
        } else if errno == EPIPE {
            // It may have said why before it hung up.
            unsent = []
        } else if errno != EINTR, errno != EAGAIN {
            throw .broken(at: path)
        }
    }

    private func receive() throws(Failure) -> HTTPReply? {
        var failure: Int32 = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
            let length = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            failure = length < 0 ? errno : 0
            count = max(length, 0)
        }
        if failure == EINTR || failure == EAGAIN { return nil }
        guard !chunk.isEmpty else { throw .broken(at: path) }
        received += chunk
        return try HTTPReply.parse(received)
    }
}

extension SocketExchange {
    private static func connected(to path: String, _ deadline: Deadline) throws(Failure) -> Int32 {
        guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw Failure(.usage, "the socket's path is too long: \(path)")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .unreachable(path, errno) }
        let left = Int(deadline.millisecondsLeft)
        // No time at all would mean as long as it takes.
        var patience = timeval(tv_sec: left / 1000, tv_usec: max(left % 1000, 1) * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard connect(descriptor, path) == 0 else {
            let failure = Failure.unreachable(path, errno)
            close(descriptor)
            throw failure
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    private static func connect(_ descriptor: Int32, _ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
