// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import Synchronization
import TestSupport

/// Many connections of this process to one socket, all of them kept, on which nothing is said unless it is told to.
final class Crowd: Sendable {
    private let descriptors: Mutex<[Int32]>

    /// Connects so many times; blocks while the server's queue is full.
    init(of count: Int, at path: String) throws {
        descriptors = Mutex([])
        for _ in 0..<count {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw SocketProbe.Failure.system("socket", errno) }
            descriptors.withLock { $0.append(descriptor) }
            var patience = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let status = withUnixAddress(path) { connect(descriptor, $0, $1) }
            guard status == 0 else { throw SocketProbe.Failure.system("connect", errno) }
        }
    }

    deinit {
        leave()
    }

    /// How many of them have been sent away by now.
    var refused: Int { descriptors.withLock { $0.count { Self.isRefused($0) } } }

    /// Says something on each connection that was not sent away.
    func say(_ text: String) {
        descriptors.withLock { descriptors in
            for descriptor in descriptors where !Self.isRefused(descriptor) {
                _ = text.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }
            }
        }
    }

    /// Closes all of them.
    func leave() {
        descriptors.withLock { descriptors in
            for descriptor in descriptors { close(descriptor) }
            descriptors = []
        }
    }

    private static func isRefused(_ descriptor: Int32) -> Bool {
        let refusal = Array("HTTP/1.1 503 ".utf8)
        var start = [UInt8](repeating: 0, count: refusal.count)
        let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
        return recv(descriptor, &start, start.count, flags) == start.count && start == refusal
    }
}
