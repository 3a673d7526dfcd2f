// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import GrantStore

@Suite struct ReconnectScheduleTests {
    @Test func theCeilingDoublesToThirtySeconds() {
        var schedule = ReconnectSchedule()
        let delays = (0..<8).map { _ in schedule.next { 0.5 } }
        #expect(delays == [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000].map { .milliseconds($0) })
    }

    @Test func thereIsAlwaysSomeDelay() {
        var schedule = ReconnectSchedule()
        #expect(schedule.next { 0 } == .milliseconds(100))
    }

    @Test func aSuccessForgetsTheFailures() {
        var schedule = ReconnectSchedule()
        for _ in 0..<5 { _ = schedule.next { 0.5 } }
        schedule.reset()
        #expect(schedule.next { 0.5 } == .milliseconds(500))
    }
}
