// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

// MARK: - Events

extension GrantStateMachineTests {
    /// What is told of one input, so long after the start.
    private func told(
        _ machine: inout GrantStateMachine,
        _ after: Duration,
        _ input: (inout GrantStateMachine, Occasion) -> Void
    ) -> [AccountEvent.Kind] {
        let before = machine
        input(&machine, occasion(after))
        return machine.events(since: before, at: start + after)
    }

    @Test func aRefreshIsToldOnceItsTokenIsHandedOut() {
        var machine = active()
        #expect(told(&machine, .seconds(540)) { _ = $0.due($1) } == [])
        #expect(told(&machine, .seconds(540)) { _ = $0.begun(version: 1, $1) } == [])
        let answer = answer("a2", sentAfter: .seconds(540))
        #expect(told(&machine, .seconds(541)) { _ = $0.granted(answer, using: 1, $1) } == [], "not stored yet")
        #expect(told(&machine, .seconds(541)) { _ = $0.stored(grantVersion: 1, $1) } == [.tokenRefreshed])
    }

    @Test func aTokenOfAnotherDaemonIsToldToo() {
        var machine = active()
        let row = row(token: "theirs", expiresIn: .seconds(1400))
        #expect(told(&machine, .seconds(500)) { _ = $0.rowChanged(row, $1) } == [.tokenRefreshed])
        #expect(told(&machine, .seconds(501)) { _ = $0.rowChanged(row, $1) } == [], "it is known now")
    }

    @Test func failuresAreToldEachAndTheStatusWhenItChanges() {
        var machine = active()
        let failure = RefreshFailure(.connect, text: "connection refused")
        func fail(_ after: Duration) -> [AccountEvent.Kind] {
            _ = machine.due(occasion(after))
            _ = machine.begun(version: 1, occasion(after))
            return told(&machine, after) { _ = $0.failed(failure, using: 1, $1) }
        }
        #expect(fail(.seconds(540)) == [.refreshFailed, .statusChanged])
        #expect(fail(.seconds(560)) == [.refreshFailed], "still degraded")
        #expect(fail(.seconds(901)) == [.refreshFailed, .statusChanged], "the token has died meanwhile")
        #expect(fail(.seconds(960)) == [.refreshFailed])
    }

    @Test func aRefusalIsToldWhenItIsForGood() {
        var machine = refreshing()
        #expect(
            told(&machine, .seconds(1)) { _ = $0.failed(refusal, using: 1, $1) } == [.refreshFailed, .statusChanged]
        )
        _ = machine.due(occasion(.seconds(12)))
        _ = machine.begun(version: 1, occasion(.seconds(12)))
        let kinds = told(&machine, .seconds(13)) { _ = $0.failed(refusal, using: 1, $1) }
        #expect(kinds == [.refreshFailed, .grantRefused, .statusChanged])
    }

    @Test func aGrantThatComesOrGoesIsTold() {
        var machine = active()
        #expect(told(&machine, .seconds(5)) { _ = $0.rowChanged(row(nil), $1) } == [.grantRemoved, .statusChanged])
        #expect(told(&machine, .seconds(6)) { _ = $0.rowChanged(row(2), $1) } == [.grantAdded, .statusChanged])
    }

    @Test func anotherGrantBesideTheSameTokenIsNoOtherToken() {
        var machine = active()
        let swapped = row(2, token: "a1", expiresIn: .seconds(900))
        #expect(told(&machine, .seconds(60)) { _ = $0.rowChanged(swapped, $1) } == [])
        let emptied = row(nil, token: "a1", expiresIn: .seconds(900))
        #expect(told(&machine, .seconds(61)) { _ = $0.rowChanged(emptied, $1) } == [.grantRemoved, .statusChanged])
    }

    @Test func aFailureToStoreIsNoFailureToRefresh() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.seconds(1)))
        let failure = RefreshFailure(.storeUnavailable, text: "gone")
        let kinds = told(&machine, .seconds(2)) { _ = $0.storeFailed(failure, $1) }
        #expect(kinds.contains(.tokenRefreshed) && !kinds.contains(.refreshFailed))
    }

    @Test func whatAnotherDaemonFoundOutIsNoFailureOfThisOne() {
        var machine = active()
        let memory = GrantMemory(
            status: .reauthorizationRequired,
            grantVersion: 1,
            generation: 2,
            consecutiveFailures: 2,
            lastError: "revoked",
            lastRefreshedAt: nil,
            lifetime: nil
        )
        let refused = row(token: "a1", expiresIn: .seconds(900), memory: memory)
        #expect(told(&machine, .seconds(60)) { _ = $0.rowChanged(refused, $1) } == [.grantRefused, .statusChanged])
    }

    @Test func whatIsLoadedWithADeadTokenIsNoNews() {
        let (machine, _) = GrantStateMachine.loaded(row(token: "old", expiresIn: .seconds(-5)), occasion(.zero))
        #expect(machine.events(since: machine, at: start) == [])
    }
}
