// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import Synchronization
import TokenCore

/// Told to every connection when the daemon stops.
struct ServerStopping: Sendable {}

/// Tells a connection that the time for waiting is over: whoever waits is answered with what there is.
struct WaitsEnding: Sendable {}

/// The connections that are open, on either way: counts them for the caps, and reaches those on the general way when the
/// daemon stops.
final class ConnectionRegistry: Sendable {
    /// What a cap said.
    enum Admission: Equatable {
        /// There is room.
        case admitted(Connection)
        /// Too many are open.
        case refused
    }

    private struct Entry {
        let user: UInt32
        /// Set while the connection is on the general way.
        var channel: (any Channel)?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var perUser: [UInt32: Int] = [:]
        var lastNumber: UInt64 = 0
        var isStopping = false
        var whenEmpty: [EventLoopPromise<Void>] = []
    }

    private let limits: SocketLimits
    private let state = Mutex(State())

    /// A registry without connections.
    init(_ limits: SocketLimits) {
        self.limits = limits
    }

    /// Connections open now.
    var count: Int { state.withLock { $0.entries.count } }

    /// Those of them that are on the general way.
    var onGeneralWay: Int { state.withLock { $0.entries.values.count { $0.channel != nil } } }

    /// Takes a connection in if the caps allow it.
    func admit(_ caller: Caller) -> Admission {
        state.withLock { state in
            let isFull = state.entries.count >= limits.connections
            guard !isFull, state.perUser[caller.user, default: 0] < limits.connectionsPerUser, !state.isStopping else {
                return .refused
            }
            state.lastNumber += 1
            state.entries[state.lastNumber] = Entry(user: caller.user)
            state.perUser[caller.user, default: 0] += 1
            return .admitted(Connection(number: state.lastNumber, caller: caller))
        }
    }

    /// A connection has ended. Calls beyond the first change nothing.
    func leave(_ connection: Connection) {
        let done = state.withLock { state -> [EventLoopPromise<Void>] in
            guard let entry = state.entries.removeValue(forKey: connection.number) else { return [] }
            let left = state.perUser[entry.user, default: 1] - 1
            state.perUser[entry.user] = left == 0 ? nil : left
            guard state.entries.isEmpty else { return [] }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for promise in done { promise.succeed() }
    }
}

extension ConnectionRegistry {
    /// A connection came to the general way; gives whether the daemon is stopping.
    func follow(_ connection: Connection, on channel: any Channel) -> Bool {
        state.withLock { state in
            state.entries[connection.number]?.channel = channel
            return state.isStopping
        }
    }

    /// A connection leaves the general way and stays open; false if it has to stay there, since the daemon is stopping.
    func release(_ connection: Connection) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.entries[connection.number]?.channel = nil
            return true
        }
    }

    /// A channel has closed: the end of the connection, unless it went back before.
    func lose(_ connection: Connection, on channel: any Channel) {
        let isItsOwn = state.withLock { $0.entries[connection.number]?.channel === channel }
        if isItsOwn { leave(connection) }
    }

    /// Tells every connection to end after what it is doing, and takes no more in.
    func stop() {
        for channel in beginStop() { channel.pipeline.fireUserInboundEventTriggered(ServerStopping()) }
    }

    /// Ends the wait of everybody who waits.
    func endWaits() {
        let channels = state.withLock { $0.entries.values.compactMap(\.channel) }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(WaitsEnding()) }
    }

    /// Ends every connection, whatever it is doing.
    func closeAll() {
        for channel in beginStop() { channel.close(promise: nil) }
    }

    /// Complete when no connection is left.
    func emptied(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let isEmpty = state.withLock { state in
            guard !state.entries.isEmpty else { return true }
            state.whenEmpty.append(promise)
            return false
        }
        if isEmpty { promise.succeed() }
        return promise.futureResult
    }

    private func beginStop() -> [any Channel] {
        state.withLock { state in
            state.isStopping = true
            return state.entries.values.compactMap(\.channel)
        }
    }
}
