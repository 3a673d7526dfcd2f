// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct StatusTallyTests {
    private let good = GrantRow.Grant.present(version: 1)

    private func machine(_ grant: GrantRow.Grant, lives seconds: Int64?, at now: Moment = .newYear) -> GrantStateMachine
    {
        let row = GrantRow(
            user: UserID("1"),
            grant: grant,
            accessToken: seconds.map { _ in Secret("t") },
            expiresAt: seconds.map { now.wall + .seconds($0) },
            memory: nil
        )
        return GrantStateMachine.loaded(row, Occasion(now: now, draw: 0.5, policy: RefreshPolicy())).0
    }

    @Test func aTokenDiesInTheTallyWithoutAStepOfItsMachine() {
        var tally = StatusTally()
        tally.pass(to: Moment.newYear.boot)
        let machine = machine(good, lives: 100)
        tally.count(machine, by: 1)
        for second in [0, 99, 100, 101] as [Int64] {
            let now = Moment.newYear + .seconds(second)
            tally.pass(to: now.boot)
            #expect(tally.count(of: .active) == (second < 100 ? 1 : 0), "after \(second) s")
            #expect(tally.count(of: .refreshing) == (second < 100 ? 0 : 1), "after \(second) s")
            #expect(tally.leastRemaining(at: now.boot) == .seconds(max(100 - second, 0)))
        }
        tally.count(machine, by: -1)
        #expect(GrantStatus.allCases.allSatisfy { tally.count(of: $0) == 0 })
        #expect(tally.leastRemaining(at: (Moment.newYear + .seconds(101)).boot) == nil)
    }

    @Test func theLeastIsOfThoseInGoodStandingAndZeroIfOneHasNone() {
        let now = Moment.newYear.boot
        var tally = StatusTally()
        tally.count(machine(.none, lives: 5), by: 1)
        tally.count(machine(.unreadable(version: 1, reason: "x"), lives: 6), by: 1)
        #expect(tally.leastRemaining(at: now) == nil)
        let (first, second, empty) = (machine(good, lives: 20), machine(good, lives: 300), machine(good, lives: nil))
        for machine in [first, second] { tally.count(machine, by: 1) }
        #expect(tally.leastRemaining(at: now) == .seconds(20))
        tally.count(first, by: -1)
        #expect(tally.leastRemaining(at: now) == .seconds(300))
        tally.count(empty, by: 1)
        #expect(tally.leastRemaining(at: now) == .zero)
        tally.count(empty, by: -1)
        tally.count(first, by: 1)
        #expect(tally.leastRemaining(at: now) == .seconds(20))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func itSaysWhatARecountSaysWhateverHappens(_ seed: UInt64) {
        let accounts = 8
        var walks = (0..<accounts).map { GrantWalk(random: SeededGenerator(seed: seed * 100 + UInt64($0))) }
        var tally = StatusTally()
        var machines = walks.indices.map { index in
            let (machine, step) = GrantStateMachine.loaded(walks[index].row(), walks[index].occasion())
            walks[index].follow(step)
            tally.count(machine, by: 1)
            return machine
        }
        var seen: Set<GrantStatus> = []
        for turn in 0..<1000 {
            let (index, now) = (turn % accounts, walks.map(\.now).max { $0.boot < $1.boot } ?? .newYear)
            walks[index].now = now
            tally.count(machines[index], by: -1)
            walks[index].turn(&machines[index])
            tally.count(machines[index], by: 1)
            let second = walks[index].now.boot.nanoseconds / 1_000_000_000
            tally.pass(to: walks[index].now.boot)
            // A token counts as dead in its last second.
            let counted = machines.map { status($0, pastSecond: second) }
            for status in GrantStatus.allCases {
                #expect(tally.count(of: status) == counted.count { $0 == status }, "turn \(turn), \(status)")
            }
            #expect(tally.groups.total == accounts)
            #expect(tally.groups.failing == counted.count { $0 == .degraded || $0 == .expired })
            #expect(tally.groups.withoutGrant == counted.count { $0 == .noGrant })
            #expect(tally.leastRemaining(at: walks[index].now.boot) == least(machines, second), "turn \(turn)")
            seen.formUnion(counted)
        }
        #expect(seen.count >= 5, "the walk leads nowhere: \(seen)")
    }

    /// The status by the machine's own word, at a time at which its token is dead if it dies within this second.
    private func status(_ machine: GrantStateMachine, pastSecond second: Int64) -> GrantStatus {
        let end = BootTime(nanoseconds: (second + 1) * 1_000_000_000 - 1)
        return machine.status(at: Moment(wall: WallTime(nanoseconds: 0), boot: end))
    }

    private func least(_ machines: [GrantStateMachine], _ second: Int64) -> Duration? {
        let good = machines.filter { $0.standing == .good }
        return good.map { machine in
            let dies = machine.life.map { $0.expiresAt.boot.nanoseconds / 1_000_000_000 } ?? 0
            return .seconds(max(dies - second, 0))
        }.min()
    }
}
