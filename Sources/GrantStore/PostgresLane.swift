// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Synchronization
import TokenCore

/// A serial queue on which all calls into libpq for one connection are made, and where they may block.
///
/// libpq resolves names, reads key files and waits for sockets; none of that may happen on the cooperative pool or on
/// an event loop. Every access to a handle starts with ``check()``. A caller waits no longer than it said, even if a
/// call into libpq itself is stuck: it is then answered by the timer, and the lane goes on when libpq does.
final class PostgresLane: Sendable {
    /// How many calls may wait for their turn; one more is turned away at once.
    static let maxWaiting = 256

    /// What a caller is given beyond its deadline, so that the connection's own, more exact failure comes first.
    private static let grace = Duration.seconds(1)
    private static let timers = DispatchQueue(label: "tastytokend.postgres.deadlines")

    /// Where everything runs; also for sources that belong to the connection.
    let queue: DispatchQueue
    private let clock: ClockReading
    private let waiting = Mutex(0)

    /// Makes a lane; the name shows in debuggers and in failures.
    init(name: String, clock: @escaping ClockReading) {
        self.queue = DispatchQueue(label: "tastytokend.postgres.\(name)")
        self.clock = clock
    }

    /// Traps unless called on the lane's queue: a libpq handle used from two threads corrupts memory.
    func check() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    /// Runs a job on the lane some time soon, for nobody to wait for.
    func submit(_ job: @escaping @Sendable () -> Void) {
        queue.async(execute: job)
    }

    /// Runs a job on the lane, after those before it, and gives what it gives.
    ///
    /// - Parameters:
    ///   - limit: how long the caller waits, waiting for its turn included.
    ///   - job: gets the deadline that follows from `limit`; not begun at all once that is over.
    /// - Returns: what the job gives.
    /// - Throws: what the job throws; `timeout` if it did not end, or not even begin, in time; `unavailable` if too
    ///   many wait.
    func run<Value: Sendable>(
        within limit: Duration,
        _ job: @escaping @Sendable (Deadline) throws(StoreError) -> Value
    ) async throws(StoreFailure) -> Value {
        guard enter() else {
            let text = "More than \(Self.maxWaiting) calls wait for the database."
            throw StoreFailure(.unavailable, text: text, isOutOfReach: false)
        }
        let deadline = Deadline(after: limit, clock: clock)
        let result = await withCheckedContinuation { continuation in
            let ticket = LaneTicket<Value>(continuation)
            Self.timers.asyncAfter(deadline: .now() + .nanoseconds(Int((limit + Self.grace).nanoseconds))) {
                [weak ticket] in
                ticket?.resolve(.failure(Self.overrun(limit, isStuck: true)))
            }
            queue.async {
                ticket.resolve(Self.outcome(of: job, deadline))
                self.leave()
            }
        }
        return try result.get()
    }

    private static func outcome<Value>(
        of job: (Deadline) throws(StoreError) -> Value,
        _ deadline: Deadline
    ) -> Result<Value, StoreFailure> {
        guard !deadline.isOver else { return .failure(overrun(deadline.limit, isStuck: false)) }
        do throws(StoreError) {
            return .success(try job(deadline))
        } catch {
            return .failure(error.failure)
        }
    }

    /// The connection answered nobody in time: because a call into libpq is stuck, as when it resolves names, or because of
    /// the calls before this one.
    private static func overrun(_ limit: Duration, isStuck: Bool) -> StoreFailure {
        let text = "The database's connection was busy for longer than \(limit)."
        return StoreFailure(.timeout, text: text, isOutOfReach: isStuck)
    }

    private func enter() -> Bool {
        waiting.withLock { count in
            guard count < Self.maxWaiting else { return false }
            count += 1
            return true
        }
    }

    private func leave() {
        waiting.withLock { $0 -= 1 }
    }
}

/// One caller's place in the lane: answered once, by the job or by the timer, whichever comes first.
private final class LaneTicket<Value: Sendable>: Sendable {
    private let waiter: Mutex<CheckedContinuation<Result<Value, StoreFailure>, Never>?>

    /// Takes charge of the caller that is waiting.
    init(_ waiter: CheckedContinuation<Result<Value, StoreFailure>, Never>) {
        self.waiter = Mutex(waiter)
    }

    /// Answers the caller, unless it has its answer.
    func resolve(_ result: Result<Value, StoreFailure>) {
        let waiter = waiter.withLock { $0.take() }
        waiter?.resume(returning: result)
    }
}
