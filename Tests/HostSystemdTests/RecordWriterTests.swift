// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import HostSystemd
import Synchronization
import Testing

/// Whoever reads the log and stands still holds up nobody, and what that costs is told.
@Suite(.timeLimit(.minutes(1))) struct RecordWriterTests {
    /// A reader that can be stopped.
    private final class Reader: Sendable {
        let read = Mutex<[String]>([])
        private let gate = DispatchSemaphore(value: 0)
        private let isStopped = Mutex(false)
        /// Signalled when a record has come to a reader that stands still.
        private let hasOne = DispatchSemaphore(value: 0)

        func stop() { isStopped.withLock { $0 = true } }

        func goOn() {
            isStopped.withLock { $0 = false }
            gate.signal()
        }

        /// Returns once a record has come while it stood still. On no thread of the tests' own pool, which is as wide as the machine.
        func untilItHasOne() async {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { [self] in
                    hasOne.wait()
                    continuation.resume()
                }
            }
        }

        func take(_ record: String) {
            if isStopped.withLock({ $0 }) {
                hasOne.signal()
                gate.wait()
            }
            read.withLock { $0.append(record) }
        }
    }

    private let reader = Reader()

    private func writer(
        mostWaiting: Int = 10,
        patience: DispatchTimeInterval = .milliseconds(1)
    ) -> RecordWriter<String> {
        RecordWriter(mostWaiting: mostWaiting, patience: patience, put: reader.take) { "\($0) dropped" }
    }

    @Test func aRecordIsWrittenWhenTheCallReturnsAndInItsOrder() {
        let writer = writer(patience: .seconds(30))
        for number in 0..<1000 {
            writer.write("\(number)")
            #expect(reader.read.withLock { $0.last } == "\(number)")
        }
        #expect(reader.read.withLock { $0 } == (0..<1000).map { "\($0)" })
    }

    @Test func aReaderThatStandsStillHoldsUpNobodyAndWhatItMissedIsTold() async {
        let writer = writer()
        reader.stop()
        writer.write("first")
        await reader.untilItHasOne()
        // The first is being written; ten more wait, and the others are too many.
        for number in 0..<100 { writer.write("\(number)") }
        #expect(reader.read.withLock { $0.isEmpty })
        reader.goOn()
        while reader.read.withLock({ $0.count < 12 }) && !Task.isCancelled { await Task.yield() }
        #expect(reader.read.withLock { $0 } == ["first"] + (0..<10).map { "\($0)" } + ["90 dropped"])
    }

    @Test func afterwardsRecordsAreWrittenAtOnceAgain() async {
        let writer = writer(patience: .seconds(5))
        reader.stop()
        let stalled = Task.detached { writer.write("first") }
        reader.goOn()
        await stalled.value
        writer.write("second")
        while reader.read.withLock({ $0.count < 2 }) && !Task.isCancelled { await Task.yield() }
        #expect(reader.read.withLock { $0 } == ["first", "second"])
    }

    @Test func whatManyThreadsWriteIsAllThere() {
        let writer = writer(mostWaiting: 4096, patience: .seconds(30))
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<200 { writer.write("\(thread) \(number)") }
        }
        let read = reader.read.withLock { $0 }
        #expect(read.count == 1600)
        for thread in 0..<8 {
            #expect(read.filter { $0.hasPrefix("\(thread) ") } == (0..<200).map { "\(thread) \($0)" })
        }
    }
}
