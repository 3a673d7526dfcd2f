// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

@Suite struct UserIndexTests {
    /// Comes, goes and comes again in random order, and is compared with a dictionary all the time.
    @Test(arguments: 1...20) func itKeepsWhatADictionaryWould(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = UserIndex()
        var model: [UserID: Int] = [:]
        for _ in 0..<4000 {
            // Few enough users that they meet again, and enough that the table grows.
            let user = UserID("user-\(Int.random(in: 0..<300, using: &random))")
            #expect(index.slot(of: user) == model[user])
            if let slot = model[user], Bool.random(using: &random) {
                #expect(index.remove(user) == slot)
                model[user] = nil
            } else if model[user] == nil {
                model[user] = index.insert(user)
            }
            #expect(index.count == model.count)
        }
        for (user, slot) in model {
            #expect(index.slot(of: user) == slot && index.user(in: slot) == user)
        }
    }

    @Test func slotsAreReusedAndStayTheirUsers() {
        var index = UserIndex()
        let slots = (0..<100).map { index.insert(UserID("\($0)")) }
        #expect(slots == Array(0..<100))
        #expect(index.remove(UserID("7")) == 7)
        #expect(index.user(in: 7) == nil && index.slot(of: UserID("7")) == nil)
        #expect(index.insert(UserID("new")) == 7)
        #expect(index.slot(of: UserID("99")) == 99)
    }

    @Test func nobodyIsFoundOrRemovedWhoIsNotThere() {
        var index = UserIndex()
        #expect(index.slot(of: UserID("x")) == nil)
        #expect(index.remove(UserID("x")) == nil)
        #expect(index.count == 0)
    }
}
