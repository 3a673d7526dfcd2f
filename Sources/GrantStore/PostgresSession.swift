// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Logging
import Synchronization
import TokenCore

/// A connection that is opened when it is needed and opened again, with backoff, when it was lost.
///
/// Unchecked because the compiler cannot see the queue: everything that changes, ``health`` apart, is touched only by
/// jobs on the lane, and each begins with the lane's own check.
final class PostgresSession: @unchecked Sendable {
    /// A piece of work on a connection. It may be run twice, if the connection turns out to be stale.
    typealias Job<Value> = @Sendable (PostgresConnection, Deadline) throws(StoreError) -> Value

    /// Where a session connects, and how long it tries.
    struct Settings: Sendable {
        /// The connection string; nil leaves it to libpq's own variables.
        var url: Secret?
        /// The configuration's key for it, for complaints.
        var key = "database.url"
        /// How long each server may take to accept a connection.
        let connectDeadline: Duration
        /// The time.
        let clock: ClockReading
        /// Jitter for the backoff.
        let random: RandomShare
        /// Where outages are told, once each.
        let logger: Logger
    }

    private let lane: PostgresLane
    private let settings: Settings
    private let shownHealth = Mutex(StoreHealth(isConnected: false, lastFailure: nil, nextAttemptAt: nil))

    private let isOpening = Atomic<Bool>(false)
    private(set) var connection: PostgresConnection?
    private var schedule = ReconnectSchedule()
    private var nextAttemptAt: BootTime?
    private var lastFailure: StoreError?
    private var server = 0

    /// Names a session; nothing is opened yet.
    init(name: String, _ settings: Settings) {
        self.lane = PostgresLane(name: name, clock: settings.clock)
        self.settings = settings
    }

    /// Calls `done` after the jobs before it; at once while a connection is being opened, which may take as long as libpq
    /// resolves names, with no deadline of ours.
    func comeRound(_ done: @escaping @Sendable () -> Void) {
        if isOpening.load(ordering: .relaxed) { done() } else { lane.submit(done) }
    }

    /// The lane's queue, for sources that belong to the session.
    var queue: DispatchQueue { lane.queue }

    /// Runs a job on the lane some time soon, for nobody to wait for.
    func submit(_ job: @escaping @Sendable (PostgresSession) -> Void) {
        lane.submit { job(self) }
    }

    /// The deadline that lies `limit` after now.
    func deadline(after limit: Duration) -> Deadline { Deadline(after: limit, clock: settings.clock) }

    /// How it stands; readable from any thread.
    var health: StoreHealth { shownHealth.withLock { $0 } }

    /// Runs a job on the connection, opening it first where that is needed. While the connection is backed off from,
    /// the call fails at once.
    ///
    /// - Parameters:
    ///   - limit: how long the job itself may take; connecting, or waiting for other jobs, has the connection's own
    ///     deadline on top.
    ///   - job: what to do; see ``Job``.
    /// - Returns: what the job gives.
    /// - Throws: what the job throws; `unavailable` or `misconfigured` if there is no connection to be had.
    func run<Value: Sendable>(within limit: Duration, _ job: @escaping Job<Value>) async throws(StoreFailure) -> Value {
        try await lane.run(within: settings.connectDeadline + limit) { deadline throws(StoreError) in
            try self.perform(
                { connection, deadline throws(StoreError) in
                    try job(connection, deadline.shortened(to: limit))
                },
                deadline
            )
        }
    }

    /// Runs a job that goes on with what an earlier one began, and therefore makes sense on no other connection.
    func resume<Value: Sendable>(
        within limit: Duration,
        _ job: @escaping Job<Value>
    ) async throws(StoreFailure) -> Value {
        try await lane.run(within: limit) { deadline throws(StoreError) in try self.proceed(job, deadline) }
    }

    /// Gives up what ``resume(within:_:)`` would go on with: closes the connection in the middle of it.
    func abandon() {
        lane.submit {
            self.lane.check()
            self.connection?.abandon()
            self.connection = nil
        }
    }

    /// Closes the connection; the next job opens another.
    func close() {
        lane.submit {
            self.lane.check()
            self.connection = nil
            self.shownHealth.withLock { $0 = StoreHealth(isConnected: false, lastFailure: nil, nextAttemptAt: nil) }
        }
    }

    private func perform<Value>(_ job: Job<Value>, _ deadline: Deadline) throws(StoreError) -> Value {
        lane.check()
        if let connection, !connection.isStale() {
            do throws(StoreError) {
                return try attempt(job, on: connection, deadline)
            } catch {
                // It may have gone stale unnoticed. Jobs can be repeated, so the caller need not hear of it.
                guard error.reach == .connection, error.failure.kind == .unavailable else { throw error }
            }
        }
        return try attempt(job, on: connected(until: deadline), deadline)
    }

    private func proceed<Value>(_ job: Job<Value>, _ deadline: Deadline) throws(StoreError) -> Value {
        lane.check()
        guard let connection, !connection.isLost else {
            throw StoreError(.unavailable, reach: .connection, text: "The connection to the database was lost.")
        }
        return try attempt(job, on: connection, deadline)
    }

    private func attempt<Value>(
        _ job: Job<Value>,
        on connection: PostgresConnection,
        _ deadline: Deadline
    ) throws(StoreError) -> Value {
        do throws(StoreError) {
            let value = try job(connection, deadline)
            noteAnswer()
            return value
        } catch {
            if connection.isLost {
                self.connection = nil
                note(error)
            } else {
                noteAnswer()
            }
            throw error
        }
    }

    private func connected(until deadline: Deadline) throws(StoreError) -> PostgresConnection {
        connection = nil
        if let nextAttemptAt, settings.clock().boot < nextAttemptAt { throw backingOff(until: nextAttemptAt) }
        isOpening.store(true, ordering: .relaxed)
        defer { isOpening.store(false, ordering: .relaxed) }
        do throws(StoreError) {
            let opened = try open(until: deadline)
            connection = opened
            return opened
        } catch {
            nextAttemptAt = settings.clock().boot + schedule.next(random: settings.random)
            note(error)
            throw error
        }
    }

    /// Tries every server once, beginning with the one that worked last.
    private func open(until deadline: Deadline) throws(StoreError) -> PostgresConnection {
        let parameters = try ConnectionParameters(settings.url, key: settings.key, on: lane)
        var fault: StoreError?
        for _ in 0..<parameters.serverCount where !deadline.isOver {
            do throws(StoreError) {
                let limit = deadline.shortened(to: settings.connectDeadline)
                return try PostgresConnection.open(parameters, server: server, on: lane, until: limit)
            } catch {
                server = (server + 1) % parameters.serverCount
                fault = fault.map { $0.failure.kind == .misconfigured ? $0 : error } ?? error
            }
        }
        throw fault ?? StoreError(.unavailable, reach: .connection, text: "There was no time left to connect.")
    }

    private func backingOff(until next: BootTime) -> StoreError {
        let wait = (next - settings.clock().boot).wholeSecondsUp
        let last = lastFailure?.failure
        return StoreError(
            last?.kind == .misconfigured ? .misconfigured : .unavailable,
            sqlState: last?.sqlState,
            reach: .connection,
            text: "\(last?.text ?? "The database cannot be reached.") The next attempt is in \(wait) s."
        )
    }

    private func noteAnswer() {
        schedule.reset()
        nextAttemptAt = nil
        if lastFailure != nil { settings.logger.notice("database answers again") }
        lastFailure = nil
        shownHealth.withLock { $0 = StoreHealth(isConnected: true, lastFailure: nil, nextAttemptAt: nil) }
    }

    /// Tells the first failure of an outage aloud, and the others only to who looks closely.
    private func note(_ error: StoreError) {
        settings.logger.log(
            level: lastFailure == nil ? .warning : .debug,
            "database cannot be used",
            metadata: ["error.message": "\(error.failure)", "error.code": "\(error.failure.kind.rawValue)"]
        )
        lastFailure = error
        let health = StoreHealth(isConnected: false, lastFailure: error.failure.text, nextAttemptAt: nextAttemptAt)
        shownHealth.withLock { $0 = health }
    }
}
