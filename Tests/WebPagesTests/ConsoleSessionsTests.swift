// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import WebPages

@Suite struct ConsoleSessionsTests {
    private var sessions = ConsoleSessions()
    private let start = Moment.newYear

    @Test mutating func aLinkWorksOnceAndForAMinute() {
        #expect(sessions.add(link: [1], at: start) == start + .seconds(60))
        #expect(sessions.isGood(link: [1], at: start + .milliseconds(59_999)))
        #expect(!sessions.isGood(link: [1], at: start + .seconds(60)))
        #expect(sessions.spend(link: [1], for: [9], formToken: "f", at: start + .seconds(59)) != nil)
        #expect(!sessions.isGood(link: [1], at: start + .seconds(59)))
        #expect(sessions.spend(link: [1], for: [8], formToken: "f", at: start + .seconds(59)) == nil)
        _ = sessions.add(link: [2], at: start)
        #expect(sessions.spend(link: [2], for: [7], formToken: "f", at: start + .seconds(60)) == nil)
        #expect(sessions.spend(link: [3], for: [6], formToken: "f", at: start) == nil)
    }

    @Test mutating func aSessionEndsHoweverMuchItIsUsed() {
        _ = sessions.add(link: [1], at: start)
        _ = sessions.spend(link: [1], for: [9], formToken: "f", at: start)
        #expect(sessions.session([9], at: start + .seconds(1799))?.formToken == "f")
        #expect(sessions.session([9], at: start + .seconds(1800)) == nil)
        #expect(sessions.session([1], at: start) == nil)
    }

    @Test mutating func aClockThatIsSetBackProlongsNothing() {
        _ = sessions.add(link: [1], at: start)
        let setBack = Moment(wall: start.wall + .seconds(-3600), boot: start.boot + .seconds(60))
        #expect(!sessions.isGood(link: [1], at: setBack))
    }

    @Test mutating func endingASessionEndsThatOne() {
        for number: UInt8 in [1, 2] {
            _ = sessions.add(link: [number], at: start)
            _ = sessions.spend(link: [number], for: [number], formToken: "f", at: start)
        }
        sessions.end([1])
        #expect(sessions.session([1], at: start) == nil)
        #expect(sessions.session([2], at: start) != nil)
    }

    @Test mutating func thereAreOnlySoMany() {
        for number in 0..<200 {
            let key = [UInt8(number)]
            let now = start + .milliseconds(number)
            _ = sessions.add(link: key, at: now)
            if number < 100 { _ = sessions.spend(link: key, for: key, formToken: "f", at: now) }
        }
        let end = start + .seconds(1)
        let links = (0..<200).filter { sessions.isGood(link: [UInt8($0)], at: end) }
        #expect(links == Array(200 - ConsoleSessions.mostLinks..<200))
        let living = (0..<200).filter { sessions.session([UInt8($0)], at: end) != nil }
        #expect(living == Array(100 - ConsoleSessions.mostSessions..<100))
    }
}
