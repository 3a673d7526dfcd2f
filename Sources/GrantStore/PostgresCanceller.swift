// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ
import Dispatch
import Synchronization

/// Asks servers to stop statements that overran their deadline.
///
/// `PQcancel` opens a connection of its own and blocks until it is closed. libpq allows it on any thread, so it has a
/// queue to itself: a server that does not answer holds up nobody else's lane.
final class PostgresCanceller: Sendable {
    /// All connections share it: there is next to nothing to do.
    static let shared = PostgresCanceller()

    /// How many requests may be held; with more of them the server is away, and asking it is of no use.
    private static let most = 4
    /// After so long the request is sent once more: one that comes before the server has begun the statement is ignored there,
    /// and the statement would wait for a lock with nobody left to hear of it.
    private static let pause = DispatchTimeInterval.seconds(1)

    private let queue = DispatchQueue(label: "tastytokend.postgres.cancel")
    private let held = Mutex(0)

    /// Sends a request on its way and lets go of it; nil is what a connection that is already gone gives.
    func cancel(_ request: OpaquePointer?) {
        guard let request else { return }
        let isAdmitted = held.withLock { count in
            guard count < Self.most else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { return PQfreeCancel(request) }
        // The pointer goes to the queue and nowhere else.
        nonisolated(unsafe) let owned = request
        queue.async { [queue] in
            Self.send(owned)
            queue.asyncAfter(deadline: .now() + Self.pause) {
                Self.send(owned)
                PQfreeCancel(owned)
                self.held.withLock { $0 -= 1 }
            }
        }
    }

    /// Whether the request was delivered is not looked at: the connection is closed either way.
    private static func send(_ request: OpaquePointer) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { words in
            _ = PQcancel(request, words.baseAddress, CInt(words.count))
        }
    }
}
