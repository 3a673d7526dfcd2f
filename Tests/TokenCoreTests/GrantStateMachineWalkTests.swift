// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// Inputs in any order, as races may bring them: whatever happens, an account whose grant may be used is never lost.
@Suite struct GrantStateMachineWalkTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func anAccountThatMayBeRefreshedAlwaysHasSomethingComing(_ seed: UInt64) {
        var walk = GrantWalk(random: SeededGenerator(seed: seed))
        let row = GrantRow(
            user: UserID("1"),
            grant: .present(version: 1),
            accessToken: nil,
            expiresAt: nil,
            memory: nil
        )
        var (machine, step) = GrantStateMachine.loaded(row, walk.occasion())
        walk.follow(step)
        for turn in 0..<2000 {
            walk.turn(&machine)
            #expect(
                machine.deadline == walk.armed || walk.armed == nil,
                "turn \(turn), \(machine.phase), \(machine.standing), \(String(describing: machine.deadline)) \(String(describing: walk.armed))"
            )
            guard machine.standing != .noGrant, machine.prospect(at: walk.now) != .unreadable else { continue }
            let hasSomethingComing: Bool
            switch machine.phase {
            case .resting, .elsewhere, .inDoubt: hasSomethingComing = walk.armed != nil
            case .queued: hasSomethingComing = walk.isQueued
            case .refreshing: hasSomethingComing = walk.inFlight != nil
            case .storing: hasSomethingComing = walk.isStoring || walk.armed != nil
            case .salvaging: hasSomethingComing = walk.isSalvaging || walk.armed != nil
            }
            #expect(hasSomethingComing, "turn \(turn), \(machine.phase), \(machine.standing)")
            if !hasSomethingComing { return }
        }
    }
}
