// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import Synchronization
import TestSupport
import Testing
import TokenCore

@testable import TokenDaemon

/// The pace of a run, and what it does about what stands in its way, with a clock that goes on only where the run waits.
@Suite struct ResealRunTests {
    /// A table of as many rows, all of which want sealing, and what is asked of it.
    private final class TableDouble: Sendable {
        typealias Answer = @Sendable (_ users: [UserID], _ call: Int) throws(StoreFailure) -> [UserID: ResealOutcome]

        let calls = Mutex<[[UserID]]>([])
        private let users: [UserID]
        private let answer: Answer

        init(
            rows: Int,
            _ answer: @escaping Answer = { users, _ in Dictionary(uniqueKeysWithValues: users.map { ($0, .sealed) }) }
        ) {
            users = (0..<rows).map { UserID("\($0)") }
            self.answer = answer
        }

        var table: ResealRun.Table {
            ResealRun.Table(
                part: { last, rows async throws(StoreFailure) in
                    let start = last.flatMap { self.users.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
                    let part = Array(self.users.dropFirst(start).prefix(rows))
                    guard let end = part.last else { return nil }
                    return SealPart(census: SealCensus(rows: part.count, inClear: part.count), wanting: part, last: end)
                },
                reseal: { users async throws(StoreFailure) in
                    let call = self.calls.withLock { calls in
                        calls.append(users)
                        return calls.count
                    }
                    return try self.answer(users, call)
                },
                clients: { ClientSeals() },
                resealClients: { 0 }
            )
        }
    }

    private let clock = ManualClock()

    private func run(
        _ double: TableDouble,
        rate: Double = 1000,
        patience: Duration = .seconds(60)
    ) async throws -> (tally: ResealTally, took: Duration) {
        let began = clock.now.boot
        let clock = clock
        let run = ResealRun(
            double.table,
            ResealRun.Limits(rate: rate, patience: patience),
            clock: { clock.now },
            wait: { clock.advance(by: $0) },
            tell: { _ in }
        )
        let tally = try await run.reseal(of: 0)
        return (tally, clock.now.boot - began)
    }

    @Test(arguments: [1, 50, 1000, 100_000]) func aRunKeepsToItsRate(rate: Double) async throws {
        let double = TableDouble(rows: 2000)
        let (tally, took) = try await run(double, rate: rate)
        #expect(tally.sealed == 2000)
        #expect(took >= .seconds(2000 / rate) - .milliseconds(1) && took <= .seconds(2000 / rate) + .milliseconds(1))
        #expect(double.calls.withLock { $0.map(\.count).max() ?? 0 } <= min(max(Int(rate) / 5, 1), 200))
        #expect(double.calls.withLock { Set($0.joined()).count } == 2000)
    }

    @Test func whatIsInUseIsComeBackToAndGivenUpInTheEnd() async throws {
        let busy = UserID("7")
        let later = TableDouble(rows: 20) { users, call in
            Dictionary(uniqueKeysWithValues: users.map { ($0, $0 == busy && call < 4 ? .busy : .sealed) })
        }
        let (tally, took) = try await run(later)
        #expect(tally.sealed == 20 && took > .seconds(6) && took < .seconds(7), "three times two seconds")
        let never = TableDouble(rows: 20) { users, _ in
            Dictionary(uniqueKeysWithValues: users.map { ($0, $0 == busy ? .busy : .sealed) })
        }
        let end = try await run(never)
        #expect(end.tally.sealed == 19 && end.took >= .seconds(60) && end.took < .seconds(63))
    }

    @Test func aDatabaseThatIsAwayIsWaitedForButNotForEver() async throws {
        let away = StoreFailure(.unavailable, text: "away")
        let soon = TableDouble(rows: 3) { users, call throws(StoreFailure) in
            if call < 4 { throw away }
            return Dictionary(uniqueKeysWithValues: users.map { ($0, .sealed) })
        }
        #expect(try await run(soon).tally.sealed == 3)
        let never = TableDouble(rows: 3) { _, _ throws(StoreFailure) in throw away }
        let failure = await #expect(throws: StoreFailure.self) { try await run(never) }
        #expect(failure == away && never.calls.withLock(\.count) == 6)
    }

    @Test func oneRowThatTakesTheTimeOfAllStandsAloneInTheEnd() async throws {
        let slow = UserID("5")
        let double = TableDouble(rows: 40) { users, _ throws(StoreFailure) in
            if users.contains(slow) { throw StoreFailure(.timeout, text: "too slow", isOutOfReach: false) }
            return Dictionary(uniqueKeysWithValues: users.map { ($0, .sealed) })
        }
        let tally = try await run(double).tally
        #expect(tally.sealed == 39 && tally.refusals.map(\.user) == [slow])
    }

    @Test func aTableThatTakesNoSealedValuesIsGivenUp() async throws {
        let double = TableDouble(rows: 5000) { users, _ in
            Dictionary(uniqueKeysWithValues: users.map { ($0, .refused(reason: "too long")) })
        }
        let failure = await #expect(throws: StoreFailure.self) { try await run(double) }
        #expect(failure?.text == "None of 1000 rows could be written: too long")
    }
}
