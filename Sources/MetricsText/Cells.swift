// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import Synchronization

/// A number that only goes up. Recording takes no lock.
final class CountCell: CounterHandler {
    private let count = Atomic<Int64>(0)

    /// What was counted so far.
    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }
}

/// A number with a fraction, that anybody may set or add to. Recording takes no lock.
final class NumberCell: FloatingPointCounterHandler, MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    /// The number now.
    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func set(_ value: Int64) {
        set(Double(value))
    }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }

    func decrement(by amount: Double) {
        increment(by: -amount)
    }

    func reset() {
        set(0.0)
    }

    func record(_ value: Double) {
        set(value)
    }

    func record(_ value: Int64) {
        set(value)
    }
}
