// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Dispatch
import Synchronization

/// Writes records on a thread of its own, so that whoever reads them and stands still (a pipe that nobody empties, a journal that was
/// stopped) does not have the daemon stand still too.
///
/// In good times a record is written when ``write(_:)`` returns, in the order of the calls, and none is left behind at an exit. Once one
/// took longer than a moment, calls no longer wait until all is written; what is too much is dropped, and its number told.
package final class RecordWriter<Record: Sendable>: Sendable {
    private struct State {
        var waiting: [(record: Record, written: DispatchSemaphore?)] = []
        var dropped = 0
        var isWriting = false
        /// Whether the reader stands still, as far as is known.
        var isStalled = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "tastytokend.log", qos: .userInitiated)
    private let mostWaiting: Int
    private let patience: DispatchTimeInterval
    private let put: @Sendable (Record) -> Void
    private let wordsForDropped: @Sendable (Int) -> Record

    /// Nothing is written yet.
    ///
    /// - Parameters:
    ///   - mostWaiting: records that wait at most while the reader stands still.
    ///   - patience: how long a call waits for its record.
    ///   - put: writes one record, for however long that takes; called for one at a time.
    ///   - wordsForDropped: a record that says how many were not written.
    package init(
        mostWaiting: Int = 4096,
        patience: DispatchTimeInterval = .milliseconds(50),
        put: @escaping @Sendable (Record) -> Void,
        wordsForDropped: @escaping @Sendable (Int) -> Record
    ) {
        self.mostWaiting = mostWaiting
        self.patience = patience
        self.put = put
        self.wordsForDropped = wordsForDropped
    }

    /// Writes a record, or leaves it to be written. Any thread; waits for a moment at most, and for none while the reader stands still.
    package func write(_ record: Record) {
        let (written, begins): (DispatchSemaphore?, Bool) = state.withLock { state in
            guard state.waiting.count < mostWaiting else {
                state.dropped += 1
                return (nil, false)
            }
            let written = state.isStalled ? nil : DispatchSemaphore(value: 0)
            state.waiting.append((record, written))
            defer { state.isWriting = true }
            return (written, !state.isWriting)
        }
        if begins { queue.async { [self] in writeAll() } }
        if written?.wait(timeout: .now() + patience) == .timedOut { state.withLock { $0.isStalled = $0.isWriting } }
    }

    private func writeAll() {
        while let (records, dropped) = next() {
            for (record, written) in records {
                put(record)
                written?.signal()
            }
            if dropped > 0 { put(wordsForDropped(dropped)) }
        }
    }

    /// What is to be written next, and how much was dropped behind it; nil if nothing is left.
    private func next() -> ([(record: Record, written: DispatchSemaphore?)], Int)? {
        state.withLock { state in
            guard !state.waiting.isEmpty || state.dropped > 0 else {
                (state.isWriting, state.isStalled) = (false, false)
                return nil
            }
            defer { (state.waiting, state.dropped) = ([], 0) }
            return (state.waiting, state.dropped)
        }
    }
}
