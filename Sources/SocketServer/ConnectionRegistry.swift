// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import Synchronization

/// Told to every connection when the daemon stops.
struct ServerStopping: Sendable {}

/// Tells a connection that the time for waiting is over: whoever waits is answered with what there is.
struct WaitsEnding: Sendable {}

/// The connections that are open: counts them for the caps, and reaches all of them when the daemon stops.
final class ConnectionRegistry: Sendable {
    /// What a cap said.
    enum Admission: Equatable {
        /// There is room.
        case admitted
        /// Too many are open; `isFirst` is set for the first refusal since there was room, which is the one to log.
        case refused(isFirst: Bool)
    }

    private struct State {
        var channels: [ObjectIdentifier: (channel: any Channel, user: UInt32)] = [:]
        var perUser: [UInt32: Int] = [:]
        var refusing = false
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
    var count: Int { state.withLock { $0.channels.count } }

    /// Takes a connection in if the caps allow it; it is forgotten by itself when it closes.
    func admit(_ channel: any Channel, of user: UInt32) -> Admission {
        let admission = state.withLock { state -> Admission in
            let isFull = state.channels.count >= limits.connections
            guard !isFull, state.perUser[user, default: 0] < limits.connectionsPerUser, !state.isStopping else {
                defer { state.refusing = true }
                return .refused(isFirst: !state.refusing)
            }
            state.refusing = false
            state.channels[ObjectIdentifier(channel)] = (channel, user)
            state.perUser[user, default: 0] += 1
            return .admitted
        }
        if admission == .admitted {
            let id = ObjectIdentifier(channel)
            channel.closeFuture.whenComplete { [self] _ in forget(id) }
        }
        return admission
    }

    /// Tells every connection to end after what it is doing, and takes no more in.
    func stop() {
        for channel in closeGates() { channel.pipeline.fireUserInboundEventTriggered(ServerStopping()) }
    }

    /// Ends the wait of everybody who waits.
    func endWaits() {
        let channels = state.withLock { $0.channels.values.map(\.channel) }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(WaitsEnding()) }
    }

    /// Ends every connection, whatever it is doing.
    func closeAll() {
        for channel in closeGates() { channel.close(promise: nil) }
    }

    /// Complete when no connection is left.
    func emptied(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let isEmpty = state.withLock { state in
            guard !state.channels.isEmpty else { return true }
            state.whenEmpty.append(promise)
            return false
        }
        if isEmpty { promise.succeed() }
        return promise.futureResult
    }

    private func closeGates() -> [any Channel] {
        state.withLock { state in
            state.isStopping = true
            return state.channels.values.map(\.channel)
        }
    }

    private func forget(_ id: ObjectIdentifier) {
        let done = state.withLock { state -> [EventLoopPromise<Void>] in
            guard let (_, user) = state.channels.removeValue(forKey: id) else { return [] }
            let left = state.perUser[user, default: 1] - 1
            state.perUser[user] = left == 0 ? nil : left
            guard state.channels.isEmpty else { return [] }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for promise in done { promise.succeed() }
    }
}
