// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// Refreshes that callers order, however long the token at hand lives.
extension GrantStateMachineTests {
    private func obstacle(_ machine: inout GrantStateMachine, after time: Duration) -> String {
        let (obstacle, step) = machine.ordered(occasion(time))
        switch obstacle {
        case nil: return step.effect == .enqueue ? "begun" : "joined"
        case .tooSoon(let wait): return "too soon by \(wait)"
        case .unavailable(let code, _): return code.rawValue
        case .underWay, .stale, .unknownUser: return "never"
        }
    }

    @Test func anOrderBeginsARefreshOnceFiveSecondsAfterTheLast() {
        var machine = active()
        #expect(obstacle(&machine, after: .milliseconds(4999)) == "too soon by 0.001 seconds")
        #expect(obstacle(&machine, after: .seconds(5)) == "begun", "sooner than the floor of ten")
        #expect(obstacle(&machine, after: .seconds(5)) == "joined")
        _ = machine.begun(version: 1, occasion(.seconds(6)))
        #expect(obstacle(&machine, after: .seconds(7)) == "joined")
    }

    @Test func anOrderDoesNotHurryABackoff() {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        _ = machine.begun(version: 1, occasion(.seconds(540)))
        _ = machine.failed(RefreshFailure(.connect, text: "no"), using: 1, occasion(.seconds(541)))
        let deadline = machine.deadline
        #expect(obstacle(&machine, after: .milliseconds(541_001)) == "token_unavailable")
        #expect(machine.deadline == deadline && machine.phase == .resting)
    }

    @Test func anOrderForAGrantThatNeedsAPersonIsRefused() {
        var (machine, _) = GrantStateMachine.loaded(row(nil), occasion(.zero))
        #expect(obstacle(&machine, after: .seconds(1)) == "no_grant")
    }

    @Test func ordersDoNotSpendMoreThanTheDaysBudget() {
        var machine = active()
        var time: Duration = .zero
        var begun = 1
        while true {
            time += .seconds(6)
            let outcome = obstacle(&machine, after: time)
            guard outcome == "begun" else {
                #expect(outcome == "too soon by 288.0 seconds")
                break
            }
            begun += 1
            _ = machine.begun(version: 1, occasion(time))
            _ = machine.granted(answer("a\(begun)", sentAfter: time), using: 1, occasion(time))
            _ = machine.stored(grantVersion: 1, occasion(time))
        }
        #expect(begun == policy.dailyBudget)
    }
}
