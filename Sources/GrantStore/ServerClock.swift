// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// How the database server's clock stands to this host's boot clock, as far as one question and its answer can tell.
///
/// Expiries are written by the wall clock of whoever writes them, which somebody may have set. All daemons on a database can ask its
/// server for the time, and nobody can set a boot clock: by these two, what one writes the other can read (hard case H15).
struct ServerClock: Hashable, Sendable {
    /// What is to be added to a boot time at least, and at most, for the server's time, in nanoseconds.
    private let least: Int64
    private let most: Int64

    /// Takes what the server said to a question.
    ///
    /// - Parameters:
    ///   - time: the server's.
    ///   - sent: when it was asked.
    ///   - received: when its answer was there.
    init(_ time: WallTime, askedAt sent: BootTime, answeredAt received: BootTime) {
        least = time.nanoseconds &- max(sent, received).nanoseconds
        most = time.nanoseconds &- sent.nanoseconds
    }

    private init(least: Int64, most: Int64) {
        (self.least, self.most) = (least, most)
    }

    /// What both know, this one being the later. If they contradict each other the server's clock was set, or it is another server:
    /// then the later one counts.
    func narrowed(by earlier: ServerClock?) -> ServerClock {
        guard let earlier, earlier.least <= most, least <= earlier.most else { return self }
        return ServerClock(least: max(least, earlier.least), most: min(most, earlier.most))
    }

    /// The server's time at a boot time; the earliest that it can have been.
    func time(at boot: BootTime) -> WallTime {
        WallTime(nanoseconds: boot.nanoseconds &+ least)
    }

    /// The boot time at a time of the server's; the earliest that it can be.
    func bootTime(at time: WallTime) -> BootTime {
        BootTime(nanoseconds: time.nanoseconds &- most)
    }

    /// By how much the wall clock was ahead of the server's, in microseconds, rounded up; by which an expiry that it gave is too late.
    func microsecondsAhead(_ moment: Moment) -> Int64 {
        (moment.wall - time(at: moment.boot)).nanoseconds / 1000 + 1
    }
}

extension PostgresGrantStore {
    /// Asks the server for its time.
    func askTheTime(on connection: PostgresConnection, until deadline: Deadline) throws(StoreError) {
        let sent = clock().boot
        let times = try connection.run(GrantQueries.serverTime, until: deadline).rows { $0.integer(0) }
        let received = clock().boot
        guard let time = times.first.map(WallTime.init(microseconds:)) else { return }
        let found = ServerClock(time, askedAt: sent, answeredAt: received)
        serverClock.withLock { $0 = found.narrowed(by: $0) }
    }

    /// How the server's clock stands, as far as is known; nil before it was asked.
    var knownServerClock: ServerClock? { serverClock.withLock { $0 } }
}
