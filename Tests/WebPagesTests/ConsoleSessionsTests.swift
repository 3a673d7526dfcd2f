// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import WebPages

@Suite struct ConsoleSessionsTests {
    private func hash(_ number: UInt8) -> SecretHash { CountingSecrets.hash(of: [number]) }

    private var sessions = ConsoleSessions()
    private let start = Moment.newYear

    @Test mutating func aLinkWorksOnceAndForAMinute() {
        #expect(sessions.add(link: hash(1), at: start) == start + .seconds(60))
        #expect(sessions.isGood(link: hash(1), at: start + .milliseconds(59_999)))
        #expect(!sessions.isGood(link: hash(1), at: start + .seconds(60)))
        #expect(sessions.spend(link: hash(1), for: hash(9), formToken: "f", at: start + .seconds(59)) != nil)
        #expect(!sessions.isGood(link: hash(1), at: start + .seconds(59)))
        #expect(sessions.spend(link: hash(1), for: hash(8), formToken: "f", at: start + .seconds(59)) == nil)
        _ = sessions.add(link: hash(2), at: start)
        #expect(sessions.spend(link: hash(2), for: hash(7), formToken: "f", at: start + .seconds(60)) == nil)
        #expect(sessions.spend(link: hash(3), for: hash(6), formToken: "f", at: start) == nil)
    }

    @Test mutating func aSessionEndsHoweverMuchItIsUsed() {
        _ = sessions.add(link: hash(1), at: start)
        _ = sessions.spend(link: hash(1), for: hash(9), formToken: "f", at: start)
        #expect(sessions.session(hash(9), at: start + .seconds(1799))?.formToken == "f")
        #expect(sessions.session(hash(9), at: start + .seconds(1800)) == nil)
        #expect(sessions.session(hash(1), at: start) == nil)
    }

    @Test mutating func aClockThatIsSetBackProlongsNothing() {
        _ = sessions.add(link: hash(1), at: start)
        let setBack = Moment(wall: start.wall + .seconds(-3600), boot: start.boot + .seconds(60))
        #expect(!sessions.isGood(link: hash(1), at: setBack))
    }

    @Test mutating func endingASessionEndsThatOne() {
        for number: UInt8 in [1, 2] {
            _ = sessions.add(link: hash(number), at: start)
            _ = sessions.spend(link: hash(number), for: hash(number), formToken: "f", at: start)
        }
        sessions.end(hash(1))
        #expect(sessions.session(hash(1), at: start) == nil)
        #expect(sessions.session(hash(2), at: start) != nil)
    }

    @Test mutating func thereAreOnlySoMany() {
        for number in 0..<200 {
            let key = hash(UInt8(number))
            let now = start + .milliseconds(number)
            _ = sessions.add(link: key, at: now)
            if number < 100 { _ = sessions.spend(link: key, for: key, formToken: "f", at: now) }
        }
        let end = start + .seconds(1)
        let links = (0..<200).filter { sessions.isGood(link: hash(UInt8($0)), at: end) }
        #expect(links == Array(200 - ConsoleSessions.mostLinks..<200))
        let living = (0..<200).filter { sessions.session(hash(UInt8($0)), at: end) != nil }
        #expect(living == Array(100 - ConsoleSessions.mostSessions..<100))
    }
}
