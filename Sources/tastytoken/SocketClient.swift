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
    /// Seconds that it may take to change something in the database: longer than the daemon itself waits, so that it is the one who says
    /// what came of it.
    static let patienceForChanges = 95
    /// Seconds that it may take to connect an account, for which TastyTrade is called: once more longer than the daemon waits, which is
    /// twice `refresh.timeout`, of ten minutes at most, and what the database takes. A daemon that hangs is ended by its watchdog before.
    static let patienceForProofs = 1240

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
        try ask(SocketRequest(target: target), within: seconds)
    }

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - request: what is asked.
    ///   - seconds: how long it may take in all.
    ///   - wait: waits until one of the descriptors is ready, or the milliseconds are over; as poll(2) does.
    /// - Returns: the reply, whatever its status.
    /// - Throws: why there is none.
    func ask(
        _ request: SocketRequest,
        within seconds: Int,
        waiting wait: (inout pollfd, Int32) -> Int32 = { poll(&$0, 1, $1) }
    ) throws(Failure) -> HTTPReply {
        let deadline = Deadline(after: seconds)
        let exchange = try SocketExchange(request, at: path, before: deadline)
        while true {
            var entry = exchange.interest
            let ready = wait(&entry, deadline.millisecondsLeft)
            if ready == 0 { throw .silent(at: path) }
            if ready < 0 {
                guard errno == EINTR else { throw .broken(at: path) }
            } else if let reply = try exchange.advance() {
                return reply
            }
        }
    }
}
