// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import Logging
import Synchronization
import Testing
import TokenCore

@Suite struct WatchdogTests {
    private let log = LogCapture()

    private func at(_ seconds: Int64) -> BootTime { BootTime(nanoseconds: seconds * 1_000_000_000) }

    private func watchdog(_ parts: [WatchdogPart], _ manager: NotifyReceiver) throws -> Watchdog {
        let notifier = ServiceNotifier(address: try NotifyAddress(manager.address), logger: log.logger)
        return Watchdog(timeout: .seconds(60), parts: parts, notifier: notifier, logger: log.logger)
    }

    @Test func onePartThatStandsStillStarvesIt() throws {
        let manager = try NotifyReceiver(abstract: true)
        let scheduler = WatchdogPart("scheduler")
        let store = WatchdogPart("store")
        let watchdog = try watchdog([scheduler, store], manager)
        scheduler.advance()
        store.advance()
        watchdog.tick(now: at(0))
        #expect(manager.received() == ["WATCHDOG=1"])
        for tick in 1...5 {
            scheduler.advance()
            watchdog.tick(now: at(Int64(tick) * 15))
        }
        #expect(manager.received().isEmpty)
        #expect(log.recorded == ["error: watchdog is not fed: parts do not move parts=store"])
        store.advance()
        watchdog.tick(now: at(90))
        #expect(manager.received() == ["WATCHDOG=1"])
    }

    @Test func idlePartThatAnswersANudgeKeepsItFed() throws {
        let manager = try NotifyReceiver(abstract: true)
        let watchdog = try watchdog([WatchdogPart("acceptor", nudge: { $0.advance() })], manager)
        for tick in 0...4 { watchdog.tick(now: at(Int64(tick) * 15)) }
        // The first tick finds no progress yet, and asks for it.
        #expect(manager.received() == Array(repeating: "WATCHDOG=1", count: 4))
    }

    @Test func partThatIsSlowToBeginIsNoComplaint() throws {
        let manager = try NotifyReceiver(abstract: true)
        let store = WatchdogPart("store")
        let watchdog = try watchdog([store], manager)
        for tick in 0..<30 { watchdog.tick(now: at(Int64(tick))) }
        #expect(log.recorded.isEmpty)
        watchdog.tick(now: at(30))
        watchdog.tick(now: at(31))
        #expect(log.recorded == ["error: watchdog is not fed: parts do not move parts=store"])
        #expect(manager.received().isEmpty)
    }

    @Test func stuckPartIsAskedOnceInAnInterval() throws {
        let manager = try NotifyReceiver(abstract: true)
        let asked = Mutex(0)
        let watchdog = try watchdog([WatchdogPart("acceptor", nudge: { _ in asked.withLock { $0 += 1 } })], manager)
        for tick in 0..<60_000 { watchdog.tick(now: BootTime(nanoseconds: Int64(tick) * 1_000_000)) }
        #expect(asked.withLock { $0 } == 4)
    }

    @Test func ticksInQuickSuccessionSendOneMessage() throws {
        let manager = try NotifyReceiver(abstract: true)
        let part = WatchdogPart("scheduler")
        let watchdog = try watchdog([part], manager)
        for _ in 0..<1000 {
            part.advance()
            watchdog.tick(now: at(7))
        }
        #expect(manager.received() == ["WATCHDOG=1"])
        #expect(watchdog.interval == .seconds(15))
    }
}

@Suite struct WatchdogTimeoutTests {
    @Test func timeoutIsForTheProcessItNames() throws {
        #expect(try WatchdogTimeout.read(from: [:], processID: 7) == nil)
        #expect(try WatchdogTimeout.read(from: ["WATCHDOG_USEC": "2000000"], processID: 7) == .seconds(2))
        let environment = ["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "7"]
        #expect(try WatchdogTimeout.read(from: environment, processID: 7) == .seconds(2))
        #expect(try WatchdogTimeout.read(from: environment, processID: 8) == nil)
    }

    @Test(arguments: [
        ["WATCHDOG_USEC": "soon"], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "me"],
    ])
    func variablesThatAreNoNumbersAreRefused(environment: [String: String]) {
        #expect(throws: HostFailure.self) { try WatchdogTimeout.read(from: environment, processID: 7) }
    }
}
