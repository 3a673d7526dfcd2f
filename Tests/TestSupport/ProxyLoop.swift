// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import Synchronization

/// The one thread of a ``DatabaseProxy``, and all that it and the proxy's orders share.
final class ProxyLoop: Sendable {
    /// Everything that changes, behind the lock.
    struct State {
        /// How connections are treated.
        var manner = DatabaseProxy.Manner()
        /// Whose answer is to be lost.
        var loss: ProxiedConnection.Loss?
        /// What happened so far.
        var counts = DatabaseProxy.Counts()
        /// Where clients come in; nil while none may.
        var listener: CInt?
        /// By a number that no other connection has.
        var connections: [Int: ProxiedConnection] = [:]
        /// Whether it is all over.
        var isEnded = false
    }

    private let state: Mutex<State>
    private let path: String
    private let serverPath: String
    private let alarm: PipeEnds

    /// Begins to listen at one path, for connections to the other.
    init(path: String, serverPath: String) throws {
        (self.path, self.serverPath) = (path, serverPath)
        self.alarm = try PipeEnds()
        for end in [alarm.reading, alarm.writing] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        self.state = Mutex(State())
        do {
            try listen()
        } catch {
            for end in [alarm.reading, alarm.writing] { close(end) }
            throw error
        }
        let thread = Thread { [self] in
            while turn() {}
            close(alarm.reading)
            close(alarm.writing)
        }
        thread.name = "proxy"
        thread.start()
    }

    /// Changes something, of which the thread learns at once.
    func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        state.withLock { state in
            let value = body(&state)
            // The pipe is closed after the end; that it is full is as good.
            if !state.isEnded { ring() }
            return value
        }
    }

    /// Lets clients in.
    func listen() throws {
        let listener = socket(AF_UNIX, Self.kind, 0)
        unlink(path)
        guard withUnixAddress(path, { bind(listener, $0, $1) }) == 0, Glibc.listen(listener, 128) == 0 else {
            defer { close(listener) }
            throw TestSupportError("No proxy can listen at \(path), errno \(errno).")
        }
        change { state in
            if let before = state.listener { close(before) }
            state.listener = listener
        }
    }

    /// Ends every connection and the thread.
    func end() {
        state.withLock { state in
            guard !state.isEnded else { return }
            ring()
            state.isEnded = true
            if let listener = state.listener.take() { close(listener) }
            for connection in state.connections.values { connection.close() }
            state.connections = [:]
        }
    }

    private static let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)

    private func ring() {
        _ = write(alarm.writing, [UInt8(1)], 1)
    }

    /// Waits for something to do and does it; false at the end.
    private func turn() -> Bool {
        var (descriptors, timeout) = state.withLock { waits(of: $0) }
        poll(&descriptors, nfds_t(descriptors.count), timeout)
        var rung = [UInt8](repeating: 0, count: 256)
        while read(alarm.reading, &rung, rung.count) > 0 {}
        return state.withLock { state in
            guard !state.isEnded else { return false }
            act(&state)
            return true
        }
    }

    private func waits(of state: State) -> ([pollfd], CInt) {
        let now = ContinuousClock.now
        var waits = [pollfd(fd: alarm.reading, events: Int16(POLLIN), revents: 0)]
        if let listener = state.listener { waits.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0)) }
        guard !state.manner.isHalted else { return (waits, -1) }
        for connection in state.connections.values { waits += connection.interests(at: now) }
        let due = state.connections.values.compactMap(\.due).filter { $0 > now }.min()
        // Up, so that it is due by then.
        return (waits, due.map { CInt(min(($0 - now) / .milliseconds(1), 60_000)) + 1 } ?? -1)
    }

    private func act(_ state: inout State) {
        accept(&state)
        guard !state.manner.isHalted else { return }
        let now = ContinuousClock.now
        for number in Array(state.connections.keys) {
            guard var connection = state.connections[number] else { continue }
            let (goesOn, lost) = connection.act(state.manner, loss: &state.loss, at: now)
            state.counts.lostAnswers += lost ? 1 : 0
            state.connections[number] = goesOn ? connection : nil
            if !goesOn { connection.close() }
        }
    }

    private func accept(_ state: inout State) {
        while let listener = state.listener, case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            let server = socket(AF_UNIX, Self.kind, 0)
            guard withUnixAddress(serverPath, { connect(server, $0, $1) }) == 0 else {
                close(server)
                close(client)
                continue
            }
            state.counts.taken += 1
            state.connections[state.counts.taken] = ProxiedConnection(client: client, server: server)
        }
    }
}
