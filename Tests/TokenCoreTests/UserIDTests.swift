// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@Suite struct UserIDTests {
    /// One character each, which Swift takes for the same: composed, and put together.
    private let composed = "\u{e9}"
    private let combined = "e\u{301}"

    @Test func idsThatDifferInAByteAreDifferent() {
        #expect(composed == combined, "as texts")
        let (one, other) = (UserID(composed), UserID(combined))
        #expect(one != other)
        #expect(Set([one, other, UserID(composed)]).count == 2)
        #expect([one: 1, other: 2][UserID(combined)] == 2)
        #expect(UserID("42") == UserID("42") && UserID("42") != UserID("4") && UserID("") == UserID(""))
        let long = String(repeating: "x", count: 100)
        #expect(UserID(long) == UserID(long) && UserID(long).hashValue == UserID(long).hashValue)
    }

    @Test func aRuleForOneOfThemIsNoneForTheOther() {
        let rules = AccessRules(ownUser: 1, [.init(.user(7), for: .some([UserID(composed)]), [.token])])
        let caller = Caller(process: 1, user: 7, group: 7)
        #expect(rules.allow(caller, .token, over: UserID(composed)))
        #expect(!rules.allow(caller, .token, over: UserID(combined)))
    }
}
