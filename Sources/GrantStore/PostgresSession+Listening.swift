// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Synchronization
import TokenCore

/// The part of a session that ``ChangeListener`` alone uses: notifications, without a thread that waits for them.
extension PostgresSession {
    private static let listening = Statement("listen", "LISTEN \(ChangeTrigger.channel)")
    private static let unlistening = Statement("unlisten", "UNLISTEN \(ChangeTrigger.channel)")

    /// Begins to listen, on a new connection if need be.
    func listen() async throws(StoreFailure) {
        try await run(within: listenDeadline) { connection, deadline throws(StoreError) in
            try connection.run(Self.listening, until: deadline)
            return
        }
    }

    /// Listens no more and lets the connection go. Behind a pooler the server's side of it would go on listening.
    func unlisten() {
        let limit = listenDeadline
        submit { session in
            guard let connection = session.connection, !connection.isLost else { return }
            _ = try? connection.run(Self.unlistening, until: session.deadline(after: limit))
        }
        close()
    }

    /// The payloads that have arrived, or else the next that do; none if `limit` is over first, or the task is cancelled.
    func nextNotifications(within limit: Duration) async throws(StoreFailure) -> [String] {
        let waiting = try await taken()
        guard waiting.isEmpty else { return waiting }
        await pause(limit, untilInput: true)
        return try await taken()
    }

    /// Lets time go by, unless the task is cancelled.
    func pause(_ limit: Duration) async {
        await pause(limit, untilInput: false)
    }

    private var listenDeadline: Duration { .seconds(10) }

    private func taken() async throws(StoreFailure) -> [String] {
        try await resume(within: listenDeadline) { connection, _ throws(StoreError) in
            try connection.takeNotifications()
        }
    }

    private func pause(_ limit: Duration, untilInput: Bool) async {
        let ticket = PauseTicket()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                ticket.begin(continuation)
                submit { session in ticket.arm(session, limit, session.connection.flatMap { untilInput ? $0 : nil }) }
            }
        } onCancel: {
            ticket.end()
        }
    }
}

/// A source of events. Unchecked because only the type's annotation is missing on Linux: sources may be used from any
/// thread, and this one is never replaced.
private struct PauseSource: @unchecked Sendable {
    let source: any DispatchSourceProtocol
}

/// One pause: ended by the first of input, time, and cancellation.
private final class PauseTicket: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Void, Never>?
        var isOver = false
        var sources: [PauseSource] = []
    }

    private let state = Mutex(State())

    func begin(_ waiter: CheckedContinuation<Void, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.waiter = waiter }
            return state.isOver
        }
        if isOver { waiter.resume() }
    }

    /// To be called on the session's lane.
    func arm(_ session: PostgresSession, _ limit: Duration, _ connection: PostgresConnection?) {
        let timer = DispatchSource.makeTimerSource(queue: session.queue)
        timer.schedule(deadline: .now() + .nanoseconds(Int(clamping: limit.nanoseconds)))
        timer.setEventHandler { self.end() }
        keep(PauseSource(source: timer))
        guard let connection, !connection.isLost else { return }
        let input = DispatchSource.makeReadSource(fileDescriptor: connection.socket, queue: session.queue)
        input.setEventHandler { self.end() }
        // The descriptor must not be closed before the source has let go of it.
        nonisolated(unsafe) let kept = connection
        input.setCancelHandler { withExtendedLifetime(kept) {} }
        keep(PauseSource(source: input))
    }

    private func keep(_ source: PauseSource) {
        let isOver = state.withLock { state in
            if !state.isOver { state.sources.append(source) }
            return state.isOver
        }
        source.source.activate()
        if isOver { source.source.cancel() }
    }

    func end() {
        let (waiter, sources) = state.withLock { state in
            defer { (state.waiter, state.sources, state.isOver) = (nil, [], true) }
            return (state.waiter, state.sources)
        }
        for source in sources { source.source.cancel() }
        waiter?.resume()
    }
}
