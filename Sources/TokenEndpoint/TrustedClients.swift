// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import Synchronization
import TokenCore

/// The HTTP client in use, and those before it whose calls have not ended.
///
/// A client reads the authorities that it trusts once, and keeps connections for later calls. Where the authorities were
/// replaced since, it refuses every certificate for ever; where the server behind a connection fell silent, its other
/// connections may lead to the same one, and would each cost a call of unknown outcome (hard case H17). So after either
/// another client takes its place, which reads the authorities anew and has no connections yet.
///
/// Not every lost reply is such a silence: one account's fault must not cost all the others their connections. While replies
/// come, the server is there.
final class TrustedClients: Sendable {
    private struct Generation {
        let client: HTTPClient
        var calls = 0
    }

    private struct State {
        var generations: [Int: Generation]
        var newest = 0
        var renewedAt: Moment?
        var repliedAt: Moment?
        /// Replies that were lost since one came.
        var lostInARow = 0
        var isShutDown = false
    }

    /// Why another client is to take over.
    enum Reason {
        /// A certificate was refused.
        case untrusted
        /// A request was sent at that time, and no whole reply came.
        case lostReply(sentAt: Moment)

        /// Clients are made that far apart at least, since the cause may be another one.
        fileprivate var pause: Duration {
            switch self {
            case .untrusted: .seconds(60)
            case .lostReply: .seconds(5)
            }
        }
    }

    private let make: @Sendable () throws(EndpointSetupFailure) -> HTTPClient
    private let state: Mutex<State>

    /// Makes the first client.
    init(_ make: @escaping @Sendable () throws(EndpointSetupFailure) -> HTTPClient) throws(EndpointSetupFailure) {
        self.make = make
        self.state = Mutex(State(generations: [0: Generation(client: try make())]))
    }

    /// Makes a call with the newest client, which is not shut down before the call has ended.
    func withClient<Value>(_ call: (HTTPClient) async throws -> Value) async throws -> Value {
        let (number, client) = try begin()
        defer { end(number) }
        return try await call(client)
    }

    /// A whole reply came, whatever it says.
    func replied(at now: Moment) {
        state.withLock { state in
            state.repliedAt = now
            state.lostInARow = 0
        }
    }

    /// A call that broke sooner says little: what the other side closed, the pool of connections knows of.
    private static let silence: Duration = .seconds(1)
    /// So many in a row that broke at once say as much, as where something on the way has forgotten the connections.
    private static let mostBroken = 8

    /// Whether the lost reply is one of a server that fell silent: none came since the request was sent, for longer than
    /// a moment or for the last of many calls.
    private static func isSilence(_ reason: Reason, _ state: inout State, _ now: Moment) -> Bool {
        guard case .lostReply(let sentAt) = reason else { return true }
        state.lostInARow += 1
        if let repliedAt = state.repliedAt, repliedAt.boot > sentAt.boot { return false }
        return now.boot - sentAt.boot >= silence || state.lostInARow >= mostBroken
    }

    /// Has the next call use a client that has read the authorities anew, and makes its own connections. Where the
    /// authorities cannot be read now, as in the middle of being replaced, all stays as it is; so it does after the end, which
    /// calls under way take for a lost reply.
    func renew(because reason: Reason, at now: Moment) {
        let isDue = state.withLock { state in
            guard !state.isShutDown, Self.isSilence(reason, &state, now),
                state.renewedAt.map({ now.boot - $0.boot >= reason.pause }) ?? true
            else { return false }
            state.renewedAt = now
            return true
        }
        guard isDue, let client = try? make() else { return }
        let idle = state.withLock { state -> HTTPClient? in
            // The end may have come while this one was made.
            guard !state.isShutDown else { return client }
            let old = state.newest
            state.newest += 1
            state.generations[state.newest] = Generation(client: client)
            return Self.takeIfIdle(old, from: &state)
        }
        Self.shutDown(idle)
    }

    /// Ends all clients; calls under way fail.
    func shutdown() async {
        let clients = state.withLock { state in
            defer { state.generations = [:] }
            state.isShutDown = true
            return state.generations.values.map(\.client)
        }
        // All that this can throw is that it was called before.
        for client in clients { try? await client.shutdown() }
    }

    private func begin() throws -> (Int, HTTPClient) {
        try state.withLock { state in
            guard let client = state.generations[state.newest]?.client else { throw HTTPClientError.alreadyShutdown }
            state.generations[state.newest]?.calls += 1
            return (state.newest, client)
        }
    }

    private func end(_ number: Int) {
        let idle = state.withLock { state -> HTTPClient? in
            state.generations[number]?.calls -= 1
            return Self.takeIfIdle(number, from: &state)
        }
        Self.shutDown(idle)
    }

    private static func takeIfIdle(_ number: Int, from state: inout State) -> HTTPClient? {
        guard number != state.newest, state.generations[number]?.calls == 0 else { return nil }
        return state.generations.removeValue(forKey: number)?.client
    }

    private static func shutDown(_ client: HTTPClient?) {
        guard let client else { return }
        Task { try? await client.shutdown() }
    }
}
