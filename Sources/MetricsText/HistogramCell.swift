// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import Synchronization

/// How many values fell between which bounds, and their sum. Recording takes no lock: whole numbers cost two additions,
/// which is what the short way of the socket can afford for each token.
final class HistogramCell: RecorderHandler, TimerHandler {
    /// More bounds than this no histogram has.
    static let mostBounds = 23

    /// What a histogram held at one time.
    struct Reading: Hashable, Sendable {
        /// How many values were no greater than each bound, and than infinity last.
        let upTo: [Int64]
        /// The sum of all values.
        let sum: Double
    }

    private let bounds: [Double]
    private let counts: InlineArray<24, Atomic<Int64>> = InlineArray { _ in Atomic<Int64>(0) }
    private let wholeSum = Atomic<Int64>(0)
    private let restOfSum = NumberCell()

    /// An empty histogram. Bounds ascend; those beyond ``mostBounds`` are left out.
    init(bounds: [Double]) {
        self.bounds = Array(bounds.prefix(Self.mostBounds))
    }

    /// What it holds now. A value that is being recorded meanwhile may be counted and not summed yet.
    var reading: Reading {
        var total: Int64 = 0
        let upTo = (0...bounds.count).map { index in
            total += counts[index].load(ordering: .relaxed)
            return total
        }
        return Reading(upTo: upTo, sum: Double(wholeSum.load(ordering: .relaxed)) + restOfSum.value)
    }

    func record(_ value: Int64) {
        count(Double(value))
        wholeSum.wrappingAdd(value, ordering: .relaxed)
    }

    func record(_ value: Double) {
        count(value)
        restOfSum.increment(by: value)
    }

    /// A time, which is kept in seconds.
    func recordNanoseconds(_ duration: Int64) {
        record(Double(duration) / 1e9)
    }

    private func count(_ value: Double) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index].wrappingAdd(1, ordering: .relaxed)
    }
}
