// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import ReplyJournal

struct SuspectListTests {
    private func list(_ count: Int = 4) -> SuspectList {
        SuspectList([HandRecord?](repeating: nil, count: count))
    }

    private func held(_ user: String, version: Int64 = 7, _ step: HandlingStep = .loading) -> HandRecord {
        HandRecord(user: UserID(user), version: version, step: step)
    }

    @Test func threeDeathsAreEnough() {
        var list = list()
        for deaths in 1...2 {
            list.died(holding: [held("1")])
            #expect(list[UserID("1")]?.deaths == deaths)
            #expect(list.quarantined.isEmpty)
        }
        list.died(holding: [held("1"), held("2")])
        #expect(list.quarantined.map(\.user) == [UserID("1")])
    }

    @Test func whatTwoThreadsHadInHandIsOneDeath() {
        var list = list()
        list.died(holding: [held("1", .loading), held("1", .writing)])
        #expect(list[UserID("1")]?.deaths == 1)
    }

    @Test func twoThatTakeTurnsAreBothFoundOut() {
        var list = list()
        for _ in 1...3 {
            list.died(holding: [held("1")])
            list.died(holding: [held("2")])
        }
        #expect(Set(list.quarantined.map(\.user.text)) == ["1", "2"])
    }

    @Test func whoCameThroughTheStepIsAboveSuspicion() {
        var list = list()
        list.died(holding: [held("1", .claiming)])
        list.died(holding: [held("1", .claiming)])
        #expect(
            list.cameThrough(.loading, UserID("1"), 7) == nil,
            "before it is read for a refresh it is always loaded"
        )
        #expect(list.cameThrough(.claiming, UserID("1"), 8) == nil)
        #expect(list.cameThrough(.claiming, UserID("2"), 7) == nil)
        #expect(list.cameThrough(.claiming, UserID("1"), 7) == 0)
        #expect(list.isEmpty)
        list.died(holding: [held("1", .claiming)])
        #expect(list[UserID("1")]?.deaths == 1)
    }

    @Test func whoIsLeftAloneIsSoUntilHisRefreshTokenIsAnother() {
        var list = list()
        for _ in 1...3 { list.died(holding: [held("1")]) }
        list.endedInOrder()
        #expect(list.cameThrough(.loading, UserID("1"), 7) == nil)
        #expect(list.met(UserID("1"), 7) == nil)
        #expect(list.quarantined.count == 1)
        #expect(list.met(UserID("1"), 8) == 0)
        #expect(list.isEmpty)
    }

    @Test func anotherRefreshTokenIsCountedFromTheBeginning() {
        var list = list()
        for version: Int64 in [7, 7, 8, 8, 7] { list.died(holding: [held("1", version: version)]) }
        #expect(list[UserID("1")]?.deaths == 1)
    }

    @Test func anOrderlyEndClearsWhoWasOnlySuspected() {
        var list = list()
        list.died(holding: [held("1")])
        list.died(holding: [held("1")])
        list.endedInOrder()
        #expect(list.isEmpty)
    }

    @Test func whereThereIsNoRoomWhoDiedTheFewestTimesMakesIt() {
        var list = list(3)
        for _ in 1...3 { list.died(holding: [held("quarantined")]) }
        for _ in 1...2 { list.died(holding: [held("twice")]) }
        list.died(holding: [held("once")])
        list.died(holding: [held("new"), held("twice")])
        #expect(list[UserID("once")] == nil)
        #expect(list[UserID("new")]?.deaths == 1)
        #expect(list.quarantined.count == 2, "the others keep their places")
        list.died(holding: [held("newer"), held("newest")])
        #expect(list[UserID("newer")]?.deaths == 1)
        #expect(list[UserID("newest")] == nil, "and of one death nobody makes room for another")
        for _ in 1...3 { list.died(holding: [held("newer")]) }
        list.died(holding: [held("late")])
        #expect(list[UserID("late")] == nil && list.quarantined.count == 3)
    }

    @Test func aUserWhoStandsThereTwiceIsTakenOnce() {
        var record = held("1")
        record.deaths = 2
        var list = SuspectList([record, record, nil])
        list.died(holding: [held("1")])
        #expect(list.quarantined.count == 1)
        #expect(list.met(UserID("1"), 8) != nil)
        #expect(list.isEmpty && list.places.allSatisfy { $0 == nil })
    }

    @Test func theMaskHoldsWhoIsInTheList() {
        var list = list(64)
        #expect(SuspectMask(list).isEmpty)
        list.died(holding: (0..<5).map { held("user-\($0)") })
        let mask = SuspectMask(list)
        #expect((0..<5).allSatisfy { mask.mayHold(HandSlot.firstWord(of: UserID("user-\($0)"))) })
        let others = (0..<1000).filter { mask.mayHold(HandSlot.firstWord(of: UserID("\($0)"))) }
        #expect(others.count < 200, "and few others")
    }
}
