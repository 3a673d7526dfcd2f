// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import NIOCore

/// What one connection, one caller and all callers together may take of the daemon.
package struct SocketLimits: Hashable, Sendable {
    /// Connections open at a time.
    package var connections = 1024
    /// Connections open at a time by one uid, so that one program that leaks them does not shut the others out.
    package var connectionsPerUser = 768
    /// Connections that wait to be accepted; the kernel's own cap is `net.core.somaxconn`.
    package var backlog: Int32 = 1024
    /// Bytes of a header section, the request's target included.
    package var headerBytes = 16 * 1024
    /// Bytes of one header field, and of the request's target.
    package var fieldBytes = 8 * 1024
    /// Header fields in one request.
    package var fields = 100
    /// Bytes of a request's body.
    package var bodyBytes = 64 * 1024
    /// How long a connection may be silent between two requests. It is closed after once to twice this time.
    package var idle: TimeAmount = .seconds(120)
    /// How long a request may take from its first byte to its last.
    package var request: TimeAmount = .seconds(10)
    /// How long a caller may leave more than ``unwrittenBytes`` unread.
    package var write: TimeAmount = .seconds(30)
    /// How long the engine may take to report on an account.
    package var report: TimeAmount = .seconds(5)
    /// How long a diagnosis may take: the database's deadlines for some reads, and a look at TastyTrade, which ends by itself long before.
    package var diagnosis: TimeAmount = .seconds(45)
    /// How long an account may take to be connected, or a client to be changed; see ``allowEnrollment(forCalls:_:)``.
    package var enrollment: TimeAmount = .seconds(90)
    /// How long a stream of events rests after what it has told, so that many streams and many events cost no more than so many
    /// looks in a second.
    package var eventPause: TimeAmount = .milliseconds(50)
    /// How long a stream of events may be silent.
    package var heartbeat: TimeAmount = .seconds(15)
    /// Bytes of replies that may wait for the caller to read; beyond it nothing more is read from him.
    package var unwrittenBytes = 256 * 1024
    /// Event loops. One is the fastest on small machines: more only wake one another.
    package var eventLoops = 1

    /// The limits of the contract.
    package init() {}

    /// Lets connecting an account take as long as what it waits for may take: a code is exchanged, and the grant proved by a refresh, which
    /// are two calls of TastyTrade; and before and after them the database is asked.
    ///
    /// - Parameters:
    ///   - call: how long one call may take.
    ///   - statement: how long the database may take for one statement, on a new connection.
    package mutating func allowEnrollment(forCalls call: Duration, _ statement: Duration) {
        enrollment = TimeAmount(call * 2 + statement * 2)
    }

    /// ``enrollment``, for whoever waits by another clock.
    package var enrollmentTakes: Duration { Duration(enrollment) }
}
