// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What an operator is told aloud, and how often.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineLogTests {
    private let one = UserID("1")

    private func warnings(_ fixture: EngineFixture) -> [String] {
        fixture.log.entries.filter { $0.level >= .warning }.map { "\($0.message)" }
    }

    private func rows(_ count: Int, _ grant: (Int) -> String?) -> [UserID: RecordingStore.Row] {
        Dictionary(uniqueKeysWithValues: (1...count).map { (UserID("\($0)"), .init(refreshToken: grant($0))) })
    }

    @Test func anOutageOfTheDatabaseIsOneWarning() async {
        let life = Moment.newYear.wall + .seconds(900)
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: life)])
        fixture.store.fail(with: StoreFailure(.unavailable, text: "gone"))
        await fixture.engine.start(fixture.alarm)
        for _ in 1...20 {
            await fixture.advance(by: .seconds(60))
            await fixture.turn()
        }
        #expect(warnings(fixture) == ["accounts could not be loaded"])

        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.engine.isReady
        }
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        fixture.store.fail(with: StoreFailure(.unavailable, text: "gone again"))
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        let before = fixture.store.count("write")
        for _ in 1...100 {
            await fixture.advance(by: .milliseconds(100))
            await fixture.turn()
        }
        let told = warnings(fixture).filter { $0 != "account changed status" }
        #expect(told.count == 3, "one for each outage, and that there is none to refresh with: \(told)")
        #expect(fixture.store.count("write") - before <= 5, "it is not asked more often than every two seconds")
    }

    @Test func eachStepOfARefreshNamesItsAccountAndItsAttempt() async {
        var log = InMemoryLogHandler()
        log.logLevel = .debug
        let fixture = EngineFixture(rows(2) { "r\($0)" }, log: log)
        await fixture.start()
        for _ in 1...2 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(50)) }
            call.answer(fixture.answer("a-\(call.refreshToken.reveal())"))
        }
        await fixture.settled { fixture.token(of: one) == "a-r1" && fixture.token(of: UserID("2")) == "a-r2" }
        var attempts: Set<String> = []
        for user in ["1", "2"] {
            let steps = fixture.log.entries.filter {
                $0.metadata["user.id"] == "\(user)" && $0.metadata["refresh.attempt"] != nil
            }
            let told = ["account claimed", "refresh begun", "refresh answered", "token stored", "token published"]
            #expect(steps.map { "\($0.message)" } == told)
            #expect(steps.allSatisfy { $0.level == .debug })
            let numbers = Set(steps.compactMap { $0.metadata["refresh.attempt"]?.description })
            #expect(numbers.count == 1 && attempts.isDisjoint(with: numbers), "one attempt, one number")
            attempts.formUnion(numbers)
            #expect(steps.first?.metadata["claim.epoch"] != nil)
            #expect(steps.last?.metadata["event"] == "token.refreshed")
        }
    }

    @Test func capacityIsReckonedWithAccountsThatNeedRefreshes() async {
        var configuration = EngineConfiguration(maxPerSecond: 0.01)
        configuration.reconcileEvery = .seconds(10)
        // 0.01 a second, times 0.6 of 900 s: five accounts.
        let few = EngineFixture(rows(20) { $0 <= 5 ? "r\($0)" : nil }, configuration)
        await few.start()
        #expect(!warnings(few).contains { $0.contains("maxPerSecond") })
        let many = EngineFixture(rows(20) { $0 <= 6 ? "r\($0)" : nil }, configuration)
        await many.start()
        await many.settled { warnings(many).contains { $0.contains("maxPerSecond") } }
        let record = many.log.entries.first { "\($0.message)".contains("maxPerSecond") }
        #expect(record?.metadata["accounts"] == .stringConvertible(6))
        #expect(warnings(many).count { $0.contains("maxPerSecond") } == 1)
    }

    @Test func aSpentBudgetIsAnAlarm() async {
        let configuration = EngineConfiguration(policy: RefreshPolicy(dailyBudget: 1), maxPerSecond: 1000)
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], configuration)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        await fixture.advance(by: .seconds(600))
        await fixture.settled { fixture.log.entries.contains { $0.metadata["event"] == "budget.spent" } }
        let alarm = fixture.log.entries.first { $0.metadata["event"] == "budget.spent" }
        #expect(alarm?.level == .error)
        #expect(alarm?.metadata["user.id"] == "1")
        #expect(fixture.endpoint.unseen == 0)
    }
}
