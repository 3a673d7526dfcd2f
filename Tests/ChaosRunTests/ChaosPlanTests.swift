// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import chaos

@Suite struct ChaosPlanTests {
    private func plan(_ seed: UInt64, seconds: Double = 600) -> ChaosPlan {
        ChaosPlan(ChaosSettings(seed: seed, seconds: seconds))
    }

    @Test func aSeedHasOnePlanAndAnotherSeedAnother() {
        #expect(plan(1) == plan(1))
        #expect(plan(1) != plan(2))
    }

    @Test func everyKindOfDisturbanceComesUpInOrderAndInTime() {
        var settings = ChaosSettings(seed: 3, seconds: 3600)
        settings.stepsClocks = true
        let entries = ChaosPlan(settings).entries
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.at < $1.at })
        #expect(entries.allSatisfy { $0.at < 3600 })
        #expect(Set(entries.map(\.disturbance.kind)).count == 13)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func oneDaemonIsLeftAliveInTheSecondHalf(_ seed: UInt64) {
        for entry in plan(seed).entries where entry.at >= 300 {
            switch entry.disturbance {
            case .kill(let daemon, _), .restart(let daemon): #expect(daemon != 2)
            default: break
            }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingIsDoneToADaemonThatIsDown(_ seed: UInt64) {
        var upAt = [0.0, 0, 0]
        for entry in plan(seed).entries {
            switch entry.disturbance {
            case .kill(let daemon, let time), .pause(let daemon, let time):
                #expect(entry.at > upAt[daemon])
                upAt[daemon] = entry.at + time
            case .stepClock(let daemon, _), .restart(let daemon): #expect(entry.at > upAt[daemon])
            default: break
            }
        }
    }
}
