// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// H9: a new refresh token out of a reply that is no good otherwise.
extension GrantStateMachineTests {
    private var broken: RefreshFailure {
        RefreshFailure(.malformed, httpStatus: 200, text: "no access_token", newRefreshToken: Secret("r2"))
    }

    private func salvaging() -> GrantStateMachine {
        var machine = refreshing()
        _ = machine.failed(broken, using: 1, occasion(.zero))
        return machine
    }

    @Test func h9ANewRefreshTokenIsStoredBeforeAnythingElseIsTried() {
        var machine = refreshing()
        let step = machine.failed(broken, using: 1, occasion(.zero, draw: 1))
        #expect(step == Step(.disarm, .salvage(Secret("r2"))))
        #expect(machine.demanded(occasion(.seconds(1))) == .nothing)
        #expect(machine.due(occasion(.seconds(1))) == Step(.disarm, .salvage(Secret("r2"))))
        #expect(machine.salvaged(grantVersion: 2, occasion(.seconds(1), draw: 1)) == Step(.arm(start + .seconds(2))))
        #expect(machine.grantVersion == 2)
        #expect(machine.life == nil, "nothing is handed out")
        #expect(machine.status(at: start + .seconds(1)) == .expired)
        #expect(machine.streak?.last.kind == .malformed)
    }

    @Test func h9ANewRefreshTokenThatCannotBeStoredIsKeptAndTriedAgain() {
        var machine = salvaging()
        for second in [1, 2, 3] {
            let now = occasion(.seconds(second), draw: 1)
            guard case .arm(let next) = machine.salvageFailed(away, now).deadline else {
                Issue.record("a failed try must arm the next one")
                return
            }
            #expect(next.wall - now.now.wall <= .seconds(5))
            #expect(machine.due(now) == Step(.disarm, .salvage(Secret("r2"))))
        }
        _ = machine.salvaged(grantVersion: 2, occasion(.seconds(9)))
        #expect(machine.grantVersion == 2)
    }

    @Test func h9ASalvageOfARowThatHoldsAnotherGrantIsDropped() {
        var machine = salvaging()
        let step = machine.salvageSuperseded(occasion(.seconds(1)))
        #expect(step == Step(.arm(start + .seconds(2)), .reread))
        var replaced = salvaging()
        _ = replaced.rowChanged(row(7), occasion(.seconds(1)))
        #expect(replaced.salvaged(grantVersion: 2, occasion(.seconds(2))) == .nothing)
        #expect(replaced.salvageFailed(away, occasion(.seconds(2))) == .nothing)
        #expect(replaced.salvageSuperseded(occasion(.seconds(2))) == .nothing)
        #expect(replaced.grantVersion == 7)
    }

    @Test func h9ANewRefreshTokenOfAGrantThatWasReplacedMeanwhileIsDropped() {
        var machine = refreshing()
        _ = machine.rowChanged(row(2), occasion(.seconds(1)))
        #expect(machine.failed(broken, using: 1, occasion(.seconds(2))) == Step(.arm(start + .seconds(2))))
    }

    @Test func h9ARefusalOfTheOldRefreshTokenDoesNotCountAgainstTheNewOne() {
        var machine = refreshing()
        _ = machine.failed(refusal, using: 1, occasion(.zero))
        _ = machine.due(occasion(.seconds(10)))
        _ = machine.begun(version: 1, occasion(.seconds(10)))
        _ = machine.failed(broken, using: 1, occasion(.seconds(10)))
        _ = machine.salvaged(grantVersion: 2, occasion(.seconds(10)))
        _ = machine.due(occasion(.seconds(30)))
        _ = machine.begun(version: 2, occasion(.seconds(30)))
        #expect(machine.failed(refusal, using: 2, occasion(.seconds(30))).deadline == .arm(start + .seconds(40)))
        #expect(machine.status(at: start + .seconds(30)) == .expired)
    }

    @Test func h9AProbeThatBringsANewRefreshTokenEndsTheRefusal() {
        var machine = refused()
        _ = machine.due(occasion(.seconds(3610)))
        _ = machine.begun(version: 1, occasion(.seconds(3610)))
        _ = machine.failed(broken, using: 1, occasion(.seconds(3610)))
        _ = machine.salvaged(grantVersion: 2, occasion(.seconds(3611)))
        #expect(machine.standing == .good)
    }
}
