// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct FaultBookTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)
    private let page = Fault.Mode.errorPage(ErrorPage(503))

    @Test func aFaultStrikesAsOftenAsItCounts() {
        var book = FaultBook()
        book.set(Fault(page, count: 2), for: .all, at: now)
        let answers = (0..<3).map { _ in book.strike(account: "1", at: now).answer }
        #expect(answers == [page, page, nil])
    }

    @Test func aFaultEndsWithItsTime() {
        var book = FaultBook()
        book.set(Fault(page, duration: .seconds(1)), for: .all, at: now)
        #expect(book.strike(account: nil, at: now + .milliseconds(999)).answer == page)
        #expect(book.strike(account: nil, at: now + .seconds(1)).answer == nil)
        #expect(book.active(at: now + .seconds(1)).isEmpty)
    }

    @Test func anAccountsFaultStrikesThatAccountAlone() {
        var book = FaultBook()
        book.set(Fault(page), for: .account("1"), at: now)
        #expect(book.strike(account: "1", at: now).answer == page)
        #expect(book.strike(account: "2", at: now).answer == nil)
        #expect(book.strike(account: nil, at: now).answer == nil)
    }

    @Test func aFaultForOneKindOfRequestLeavesTheOthersAloneAndIsNotUsedUpByThem() {
        var book = FaultBook()
        book.set(Fault(page, count: 1, grantType: .authorizationCode), for: .all, at: now)
        book.set(Fault(.reset(.before)), for: .all, at: now)
        #expect(book.strike(account: "1", .refreshToken, at: now).answer == .reset(.before))
        #expect(book.strike(account: "1", nil, at: now).answer == .reset(.before))
        #expect(book.strike(account: "1", .authorizationCode, at: now).answer == page)
        #expect(book.strike(account: "1", .authorizationCode, at: now).answer == .reset(.before))
    }

    @Test func anAccountsFaultComesBeforeThatForAllWhichIsNotUsedUp() {
        var book = FaultBook()
        book.set(Fault(page, count: 1), for: .all, at: now)
        book.set(Fault(.reset(.after), count: 1), for: .account("1"), at: now)
        #expect(book.strike(account: "1", at: now).answer == .reset(.after))
        #expect(book.strike(account: "1", at: now).answer == page)
        #expect(book.strike(account: "1", at: now).answer == nil)
    }

    @Test func faultsOfDifferentPartsComeTogether() {
        var book = FaultBook()
        let range = Duration.seconds(1) ... .seconds(2)
        book.set(Fault(.latency(range)), for: .all, at: now)
        book.set(Fault(.lifetime(.seconds(2))), for: .account("1"), at: now)
        book.set(Fault(.hold), for: .account("1"), at: now)
        book.set(Fault(page), for: .all, at: now)
        let effects = book.strike(account: "1", at: now)
        #expect(effects.latency == range)
        #expect(effects.lifetime == .seconds(2))
        #expect(effects.isHeld)
        #expect(effects.answer == page)
    }

    @Test func anOutageIsForAllAndCountsNoRequests() {
        var book = FaultBook()
        book.set(Fault(.outage(.reset), count: 1, duration: .seconds(1)), for: .all, at: now)
        #expect(book.outage(at: now) == .reset)
        #expect(book.outage(at: now) == .reset)
        #expect(book.outage(at: now + .seconds(1)) == nil)
        book.set(Fault(.outage(.unavailable)), for: .account("1"), at: now)
        #expect(book.outage(at: now + .seconds(1)) == nil)
        #expect(book.strike(account: "1", at: now).answer == .outage(.unavailable))
    }

    @Test func clearingTakesOneScopeOrAll() {
        var book = FaultBook()
        book.set(Fault(page), for: .all, at: now)
        book.set(Fault(page), for: .account("1"), at: now)
        book.clear(.account("1"))
        #expect(book.active(at: now).map(\.scope) == [.all])
        book.clear(nil)
        #expect(book.active(at: now).isEmpty)
    }
}
