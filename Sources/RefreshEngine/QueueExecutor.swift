// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Dispatch

/// Runs an actor's jobs on one serial dispatch queue, so that a timer on that queue may touch the actor's state without
/// a hop.
package final class QueueExecutor: SerialExecutor {
    /// The queue; whatever runs on it is isolated to the actor.
    package let queue: DispatchQueue

    /// Makes the queue; its label shows in debuggers and thread names.
    package init(label: String) {
        self.queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    /// Puts the job in line on the queue.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    /// Traps when not on the queue: the check behind `assumeIsolated`.
    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
