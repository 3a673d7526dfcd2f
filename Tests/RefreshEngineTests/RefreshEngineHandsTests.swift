// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

/// H29: whose machine is at work is written down, and by which input.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineHandsTests {
    private let user = UserID("1")

    @Test func whoseMachineIsAtWorkIsInHand() async {
        let fixture = EngineFixture([user: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        call.account.held(for: .answering) {}
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: user) == "a1" && fixture.store[user]?.accessToken == "a1" }
        await fixture.turn()
        let taken = fixture.hands.taken
        #expect(taken.allSatisfy { $0.user == user } && fixture.hands.open == 0)
        let steps = Set(taken.map(\.step))
        #expect(steps.isSuperset(of: [.beginning, .answering, .rendering]))
        // That it is due, that its call begins, that it was answered, that the answer is stored.
        #expect(steps.filter { $0 != .beginning && $0 != .answering && $0 != .rendering }.count >= 4, "\(steps)")
        #expect(Set(taken.map(\.version)).count == 1, "each names the version of the refresh token")
    }
}
