// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

// MARK: - Rows that are sealed anew

extension GrantStateMachineTests {
    /// What is remembered of a grant whose text was version `from`.
    private func sealedAnew(_ from: Int64..., status: GrantStatus = .active, version: Int64? = nil) -> GrantMemory {
        GrantMemory(
            status: status,
            grantVersion: version,
            generation: 3,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: nil,
            lifetime: nil,
            sealedAnewFrom: from
        )
    }

    private func closed(_ version: Int64) -> GrantRow {
        GrantRow(
            user: user,
            grant: .unreadable(version: version, reason: "no such key"),
            accessToken: nil,
            expiresAt: start.wall + .seconds(900),
            memory: nil
        )
    }

    @Test func aGrantThatWasOnlySealedAnewIsNotRefreshed() {
        var machine = active()
        let row = row(2, token: "a1", expiresIn: .seconds(900), memory: sealedAnew(1))
        #expect(machine.rowChanged(row, occasion(.seconds(60))) == .nothing)
        #expect(machine.grantVersion == 2)
        #expect(machine.status(at: start + .seconds(60)) == .active)
        #expect(machine.due(occasion(.seconds(540))).effect == .enqueue)
    }

    @Test func oneThatWasSealedAnewSeveralTimesInOneGoIsKnownToo() {
        var machine = active()
        let row = row(4, token: "a1", expiresIn: .seconds(900), memory: sealedAnew(3, 2, 1))
        #expect(machine.rowChanged(row, occasion(.seconds(60))) == .nothing)
        #expect(machine.grantVersion == 4)
        var other = active()
        let strange = self.row(4, token: "a1", expiresIn: .seconds(900), memory: sealedAnew(3, 2))
        #expect(other.rowChanged(strange, occasion(.seconds(60))) == Step(.arm(start + .seconds(60)), .adopt))
    }

    @Test func aRefusalOutlivesTheSealing() {
        var machine = refused()
        let row = row(2, memory: sealedAnew(1, status: .reauthorizationRequired, version: 2))
        #expect(machine.rowChanged(row, occasion(.seconds(60))) == .nothing)
        #expect(machine.status(at: start + .seconds(60)) == .reauthorizationRequired)
        #expect(machine.grantVersion == 2)
    }

    @Test func whatIsInFlightNamesTheVersionThatItWasSentWith() {
        var machine = refreshing()
        let row = row(2, memory: sealedAnew(1))
        #expect(machine.rowChanged(row, occasion(.seconds(1))) == .nothing)
        #expect(machine.grantVersion == 1)
        let answer = answer("a1", sentAfter: .zero, rotated: "r2")
        #expect(machine.granted(answer, using: 1, occasion(.seconds(2))) == Step(.disarm, .store(answer)))
        #expect(machine.rowChanged(row, occasion(.seconds(3))) == .nothing)
        // Its claim had passed on; the new refresh token is stored by itself.
        let step = machine.superseded(occasion(.seconds(4)))
        #expect(step.effect == .salvage(Secret("r2")))
        #expect(machine.rowChanged(row, occasion(.seconds(5))) == .nothing)
        _ = machine.salvaged(grantVersion: 9, occasion(.seconds(6)))
        #expect(machine.grantVersion == 9)
    }

    @Test func theTokenAtHandOutlivesARowThatCannotBeOpened() {
        var machine = active()
        #expect(machine.rowChanged(closed(2), occasion(.seconds(60))) == Step(.disarm))
        #expect(machine.status(at: start + .seconds(60)) == .unreadable)
        #expect(machine.life?.isAlive(at: start + .seconds(899)) == true)
        #expect(machine.due(occasion(.seconds(540))) == .nothing)
        // The keys came.
        let opened = row(2, token: "a1", expiresIn: .seconds(900), memory: sealedAnew(1))
        #expect(machine.rowChanged(opened, occasion(.seconds(70))).deadline == .arm(start + .seconds(540)))
        #expect(machine.status(at: start + .seconds(70)) == .active)
    }

    @Test func anAnswerInFlightIsKeptWhileTheRowCannotBeOpened() {
        var machine = refreshing()
        #expect(machine.rowChanged(closed(2), occasion(.seconds(1))) == .nothing)
        let answer = answer("a1", sentAfter: .zero, rotated: "r2")
        #expect(machine.granted(answer, using: 1, occasion(.seconds(2))).effect == .store(answer))
        #expect(machine.rowChanged(closed(2), occasion(.seconds(3))) == .nothing)
        #expect(machine.superseded(occasion(.seconds(4))).effect == .salvage(Secret("r2")))
    }

    @Test func aRowThatHoldsANewGrantWhereOneCouldNotBeOpenedIsRefreshedAtOnce() {
        var machine = active()
        _ = machine.rowChanged(closed(2), occasion(.seconds(60)))
        let other = row(3, token: "a1", expiresIn: .seconds(900))
        #expect(machine.rowChanged(other, occasion(.seconds(70))) == Step(.arm(start + .seconds(70)), .adopt))
    }
}
