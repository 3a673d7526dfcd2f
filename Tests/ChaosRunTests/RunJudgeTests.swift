// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import chaos

@Suite struct RunJudgeTests {
    private let settings = ChaosSettings(seed: 1, seconds: 60)

    private func judge(_ change: (inout Evidence, inout Verdict) -> Void = { _, _ in }) -> Verdict {
        var evidence = Evidence()
        evidence.looks = 100
        evidence.calls = (0..<3).map { Evidence.Call(at: 1, daemon: $0, account: 1) }
        evidence.planned = ["kill": 2, "pause": 1]
        evidence.done = ["kill": 1, "pause": 1]
        var verdict = Verdict()
        verdict.processesWeighed = 1
        change(&evidence, &verdict)
        RunJudge.judge(evidence, settings, &verdict)
        return verdict
    }

    @Test func aRunInWhichAllCameAboutHasNothingToSay() {
        let verdict = judge()
        #expect(verdict.failures == [])
        #expect(verdict.disturbances == ["kill: 1 of 2", "pause: 1 of 1"])
    }

    @Test func aDisturbanceThatNeverCameAboutFailsTheRun() {
        #expect(
            judge { evidence, _ in evidence.done["pause"] = nil }.failures == ["pause: planned 1 times, and never done"]
        )
    }

    @Test func aRunInWhichNothingWasSeenFails() {
        #expect(judge { evidence, _ in evidence.looks = 0 }.failures.count == 1)
        #expect(judge { _, verdict in verdict.processesWeighed = 0 }.failures.count == 1)
        #expect(judge { evidence, _ in evidence.calls = [] }.failures.count == 3)
        #expect(judge { evidence, _ in evidence.calls[2] = .init(at: 1, daemon: -1, account: 1) }.failures.count == 2)
    }
}
