// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import Synchronization

/// Collects the connections of one event loop that have answers to send, and sends them all at the end of the loop's
/// turn.
///
/// A write wakes its reader. Written one by one between two reads, replies wake every caller while the next one's request
/// is still being read, and the two processes then keep waking one another; written together, they let the callers and
/// the daemon each work through a batch.
final class FlushBatch {
    private let eventLoop: any EventLoop
    private var gates: [ConnectionGate] = []

    /// The batch of an event loop, used on that loop only.
    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Has a gate flushed at the end of the turn.
    func add(_ gate: ConnectionGate) {
        gates.append(gate)
        guard gates.count == 1 else { return }
        // What a loop is given to execute from within a turn runs after the turn's events.
        let batch = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { batch.value.flush() }
    }

    private func flush() {
        // A flush can make room for more of what is held, which is answered within this turn and joins the batch.
        var index = 0
        while index < gates.count {
            gates[index].flushAnswers()
            index += 1
        }
        gates.removeAll(keepingCapacity: true)
    }
}

/// The batches of all event loops.
final class FlushBatches: Sendable {
    private let batches = Mutex<[ObjectIdentifier: NIOLoopBound<FlushBatch>]>([:])

    /// The batch of the event loop that this is called on.
    func batch(of eventLoop: any EventLoop) -> FlushBatch {
        batches.withLock { batches in
            if let batch = batches[ObjectIdentifier(eventLoop)] { return batch.value }
            let batch = FlushBatch(on: eventLoop)
            batches[ObjectIdentifier(eventLoop)] = NIOLoopBound(batch, eventLoop: eventLoop)
            return batch
        }
    }
}
