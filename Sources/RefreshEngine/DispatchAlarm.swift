// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Dispatch
import Glibc
import Synchronization
package import TokenCore

/// The only timer of the daemon (architecture.md, decision 4).
///
/// The deadline is armed on the wall clock, which goes on while the machine sleeps. A second source rings at a steady
/// interval on the monotonic clock: when somebody sets the wall clock back, a wall deadline moves away, and it is the
/// steady ring that makes the listener look at both clocks again.
package final class DispatchAlarm: Alarm {
    // Dispatch sources may be used from any thread, but on Linux their type does not say so: the locks say it.
    private let deadlineSource: Mutex<any DispatchSourceTimer>
    private let steadySource: Mutex<any DispatchSourceTimer>

    /// Rings on `queue`, at the latest every `interval`, until ``cancel()``.
    ///
    /// - Parameters:
    ///   - queue: where `ring` is called.
    ///   - interval: the longest silence; thirty seconds, or less where a watchdog wants to be fed sooner.
    ///   - ring: what to do; it looks at the time itself.
    package init(on queue: DispatchQueue, atLeastEvery interval: Duration, _ ring: @escaping @Sendable () -> Void) {
        let deadlineSource = DispatchSource.makeTimerSource(queue: queue)
        let steadySource = DispatchSource.makeTimerSource(queue: queue)
        deadlineSource.setEventHandler(handler: ring)
        steadySource.setEventHandler(handler: ring)
        let silence = DispatchTimeInterval.nanoseconds(Int(clamping: interval.nanoseconds))
        steadySource.schedule(deadline: .now() + silence, repeating: silence, leeway: .milliseconds(100))
        deadlineSource.activate()
        steadySource.activate()
        self.deadlineSource = Mutex(deadlineSource)
        self.steadySource = Mutex(steadySource)
    }

    /// Rings at that time by the wall clock, in place of what was armed before.
    package func arm(at deadline: WallTime) {
        let (seconds, nanoseconds) = deadline.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let time = timespec(tv_sec: max(Int(seconds), 0), tv_nsec: max(Int(nanoseconds), 0))
        let wallDeadline = DispatchWallTime(timespec: time)
        deadlineSource.withLock { $0.schedule(wallDeadline: wallDeadline, leeway: .milliseconds(1)) }
    }

    /// Rings no more.
    package func cancel() {
        deadlineSource.withLock { $0.cancel() }
        steadySource.withLock { $0.cancel() }
    }
}
