// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A caller who takes what he can get of a server, in one manner, until he is killed.
struct HostileCaller {
    /// The manners.
    enum Manner: String, CaseIterable {
        /// Connects and says nothing.
        case silent
        /// Sends a part of a request and ends his direction; again and again.
        case halfClosed = "half-closed"
        /// Asks for as long as he may and reads nothing.
        case neverReads = "never-reads"
        /// Sends a byte a millisecond on each connection.
        case byteAtATime = "byte-at-a-time"
        /// Sends a hundred requests at once, reads the replies, and begins again.
        case pipelining
        /// Connects and closes, as fast as he can.
        case connecting
    }

    /// How he goes about it.
    let manner: Manner
    /// The socket.
    let path: String

    private static let request = Array("GET /v1/users/1/token HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".utf8)

    /// Goes on until the server refuses him.
    func run() throws -> Never {
        // A connection that was closed on him is one more that he opens.
        signal(SIGPIPE, SIG_IGN)
        switch manner {
        case .silent: try beSilent()
        case .halfClosed: try halfClose()
        case .neverReads: try neverRead()
        case .byteAtATime: try sendBytes()
        case .pipelining: try pipeline()
        case .connecting: while true { try Connection(to: path).close() }
        }
    }

    private func connections(_ count: Int) throws -> [Connection] {
        try (0..<count).map { _ in try Connection(to: path) }
    }

    private func beSilent() throws -> Never {
        let held = try connections(200)
        while true { withExtendedLifetime(held) { _ = pause() } }
    }

    private func halfClose() throws -> Never {
        while true {
            let connection = try Connection(to: path)
            try connection.send(Array(Self.request.prefix(20)))
            shutdown(connection.descriptor, Int32(SHUT_WR))
            while !connection.receive().isEmpty {}
            connection.close()
        }
    }

    private func neverRead() throws -> Never {
        var held = try connections(50)
        while true {
            for index in held.indices where !push(Self.request, on: held[index]) {
                held[index].close()
                held[index] = try Connection(to: path)
            }
            usleep(1000)
        }
    }

    private func sendBytes() throws -> Never {
        var held = try connections(50)
        var next = 0
        while true {
            for index in held.indices where !push([Self.request[next]], on: held[index]) {
                held[index].close()
                held[index] = try Connection(to: path)
            }
            // The answers are read, so that they are not what he is stopped by.
            for connection in held { drain(connection) }
            next = (next + 1) % Self.request.count
            usleep(1000)
        }
    }

    private func pipeline() throws -> Never {
        let connection = try Connection(to: path)
        let one = try replyLength(on: connection)
        let requests = Array(repeating: Self.request, count: 100).flatMap { $0 }
        while true {
            try connection.send(requests)
            var missing = 100 * one
            while missing > 0 {
                let count = connection.receive().count
                guard count > 0 else { throw LoadError("the server hung up on pipelined requests") }
                missing -= count
            }
        }
    }

    private func replyLength(on connection: Connection) throws -> Int {
        try connection.send(Self.request)
        return connection.receive().count
    }

    /// Sends as much of it as there is room for; false if the connection is closed.
    private func push(_ bytes: [UInt8], on connection: Connection) -> Bool {
        send(connection.descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT)) >= 0 || errno == EAGAIN
    }

    private func drain(_ connection: Connection) {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) {
            while recv(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) > 0 {}
        }
    }
}
