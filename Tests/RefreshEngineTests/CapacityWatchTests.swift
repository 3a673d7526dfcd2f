// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import RefreshEngine

@Suite struct CapacityWatchTests {
    @Test func eachChangeIsToldOnce() {
        var watch = CapacityWatch()
        #expect(watch.look(accounts: 10, capacity: 10) == nil)
        #expect(watch.look(accounts: 11, capacity: 10) == .exceeded)
        #expect(watch.look(accounts: 12, capacity: 10) == nil)
        #expect(watch.look(accounts: 12, capacity: 20) == .sufficient)
        #expect(watch.look(accounts: 5, capacity: 20) == nil)
        #expect(watch.look(accounts: 5, capacity: 4) == .exceeded)
    }
}
