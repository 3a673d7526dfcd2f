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

    /// Runs a call, and gives what it gives; nil if it, and those before it, did not end within the limit.
    func run<Value: Sendable>(within limit: Duration, _ call: @escaping @Sendable () -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            let waiter = Waiter(continuation)
            let (seconds, attoseconds) = limit.components
            let time = DispatchTimeInterval.nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
            timers.asyncAfter(deadline: .now() + time) { waiter.resolve(nil) }
            queue.async { waiter.resolve(call()) }
        }
    }
}

/// A caller, answered once: by the call or by the timer, whichever comes first.
private final class Waiter<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

    init(_ continuation: CheckedContinuation<Value?, Never>) {
        self.continuation = Mutex(continuation)
    }

    func resolve(_ value: Value?) {
        let continuation = continuation.withLock { $0.take() }
        continuation?.resume(returning: value)
    }
}
