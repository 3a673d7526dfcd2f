// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Synchronization

/// Calls that the system may hold up for as long as it likes, such as a look-up of names or a file on a network, for callers
/// who do not wait that long. They run one after the other on a thread that nobody else needs.
final class BlockingCall: Sendable {
    private let queue: DispatchQueue
    private let timers = DispatchQueue(label: "tastytokend.deadlines")

    /// Makes the thread's queue; the name shows in debuggers.
    init(name: String) {
        queue = DispatchQueue(label: "tastytokend.\(name)")
    }

    /// Runs a call, and gives what it gives; nil if it, and those before it, did not end within the limit, or if the task is
    /// cancelled. The call itself cannot be ended by anybody.
    func run<Value: Sendable>(within limit: Duration, _ call: @escaping @Sendable () -> Value) async -> Value? {
        let waiter = Waiter<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiter.wait(continuation)
                let (seconds, attoseconds) = limit.components
                let time = DispatchTimeInterval.nanoseconds(
                    Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
                )
                timers.asyncAfter(deadline: .now() + time) { waiter.resolve(nil) }
                queue.async { waiter.resolve(call()) }
            }
        } onCancel: {
            waiter.resolve(nil)
        }
    }
}

/// A caller, answered once: by the call, by the timer or by the end of his task, whichever comes first.
private final class Waiter<Value: Sendable>: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Value?, Never>)
        case over
    }

    private let state = Mutex(State.idle)

    func wait(_ continuation: CheckedContinuation<Value?, Never>) {
        let isOver = state.withLock { state in
            if case .over = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isOver { continuation.resume(returning: nil) }
    }

    func resolve(_ value: Value?) {
        let continuation = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            defer { state = .over }
            if case .waiting(let continuation) = state { return continuation } else { return nil }
        }
        continuation?.resume(returning: value)
    }
}
