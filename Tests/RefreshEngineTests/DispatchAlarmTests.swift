// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Foundation
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// The one timer, on the machine's own clocks; how late it rings decides nothing.
@Suite(.timeLimit(.minutes(1))) struct DispatchAlarmTests {
    private let queue = DispatchQueue(label: "alarm.test")

    private func wall(in seconds: Double) -> WallTime {
        WallTime(nanoseconds: Int64((Date().timeIntervalSince1970 + seconds) * 1e9))
    }

    @Test func itRingsAtItsDeadlineAndAgainWhenItIsArmedAgain() async {
        let rings = Mailbox<Void>()
        let alarm = DispatchAlarm(on: queue, atLeastEvery: .seconds(3600)) { rings.send(()) }
        defer { alarm.cancel() }
        for delay in [0.01, -5, -1e9, 0.01] {
            alarm.arm(at: wall(in: delay))
            await rings.next()
        }
    }

    /// A wall clock that was set back leaves a deadline far away.
    @Test func h15ItRingsSteadilyHoweverFarTheDeadlineIs() async {
        let rings = Mailbox<Void>()
        let alarm = DispatchAlarm(on: queue, atLeastEvery: .milliseconds(20)) { rings.send(()) }
        defer { alarm.cancel() }
        alarm.arm(at: wall(in: 3600))
        for _ in 0..<5 { await rings.next() }
        alarm.arm(at: WallTime(nanoseconds: .max))
        for _ in 0..<5 { await rings.next() }
    }

    @Test func onceCancelledItIsSilent() async {
        let (rings, others) = (Mailbox<Void>(), Mailbox<Void>())
        let cancelled = DispatchAlarm(on: queue, atLeastEvery: .milliseconds(1)) { rings.send(()) }
        let other = DispatchAlarm(on: queue, atLeastEvery: .milliseconds(1)) { others.send(()) }
        defer { other.cancel() }
        await rings.next()
        cancelled.cancel()
        // What had begun to ring by then is through with it.
        queue.sync {}
        let count = rings.count
        cancelled.arm(at: wall(in: -1))
        // Another one on the same queue shows that there was time to ring, however busy the machine.
        other.arm(at: wall(in: -1))
        for _ in 0..<20 { await others.next() }
        #expect(rings.count == count)
    }
}
