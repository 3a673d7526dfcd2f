// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import RefreshEngine

@Suite struct CensusTests {
    private let mark = PassMark(origin: "here", transaction: 1)

    private func pass(_ rowCount: Int, complete: Bool = false) -> TablePass {
        TablePass(mark: mark, isComplete: complete, rowCount: rowCount)
    }

    private func begun() -> Census {
        var census = Census()
        census.loaded(mark)
        census.begin()
        return census
    }

    @Test func asManyRowsAsAccountsMeansThatNoneVanished() {
        var census = begun()
        #expect(census.end(pass(5), held: 5) { _ in true } == .complete)
        #expect(census.mark == mark)
    }

    @Test func fewerRowsThanAccountsMeansThatSomeVanished() {
        var census = begun()
        #expect(census.end(pass(4), held: 5) { _ in true } == .wantsAll)
        #expect(census.mark == nil)
        census.begin()
        #expect(census.end(pass(4, complete: true), held: 5) { _ in true } == .complete)
        #expect(census.mark == mark)
    }

    @Test func aDoubtHasTheNextPassLookAtEveryRowWhateverGoesOn() {
        var census = begun()
        census.distrust()
        #expect(census.end(pass(5), held: 5) { _ in true } == .wantsAll)
        #expect(census.mark == nil)
        census.begin()
        #expect(census.end(pass(5, complete: true), held: 5) { _ in true } == .complete)
        #expect(census.mark == mark)
    }

    @Test func aDoubtWhileRowsAreLoadedIsNotForgotten() {
        var census = Census()
        census.distrust()
        census.loaded(mark)
        #expect(census.mark == nil)
    }

    @Test(arguments: [true, false]) func aNewUserCountsWhetherTakenInYetOrNot(_ isTakenIn: Bool) {
        var census = begun()
        census.met(UserID("6"))
        if isTakenIn { census.moved(UserID("6")) }
        #expect(census.end(pass(6), held: isTakenIn ? 6 : 5) { _ in isTakenIn } == .complete)
    }

    @Test func aNewUserInThePlaceOfADeletedOneDoesNotHideIt() {
        var census = begun()
        census.met(UserID("6"))
        #expect(census.end(pass(5), held: 5) { _ in false } == .wantsAll)
    }

    @Test func comingAndGoingMeanwhileLeavesItUndecidedForAWhile() {
        var census = begun()
        for _ in 1...2 {
            census.begin()
            census.moved(UserID("6"))
            #expect(census.end(pass(5), held: 6) { _ in true } == .undecided)
            #expect(census.mark == mark)
        }
        census.begin()
        census.moved(UserID("7"))
        #expect(census.end(pass(5), held: 6) { _ in true } == .wantsAll)
    }

    @Test func moreMissingThanCameAndWentDecides() {
        var census = begun()
        census.moved(UserID("6"))
        #expect(census.end(pass(3), held: 5) { _ in true } == .wantsAll)
    }

    @Test func aTableThatCanOnlyBeLookedAtAsAWholeIsSo() {
        var census = begun()
        let whole = TablePass(mark: nil, isComplete: true, rowCount: 1)
        #expect(census.end(whole, held: 5) { _ in true } == .complete)
        #expect(census.mark == nil)
    }
}
