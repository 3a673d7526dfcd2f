// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import TokenSimulator

/// Does to the installation what the plan says, when it says so.
struct Director {
    private let stage: Stage
    private let daemons: [ChaosDaemon]

    init(_ stage: Stage, _ daemons: [ChaosDaemon]) {
        (self.stage, self.daemons) = (stage, daemons)
    }

    /// Comes back when the last disturbance is over.
    func carryOut(_ plan: ChaosPlan) async throws {
        let began = stage.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for entry in plan.entries {
                try await Task.sleep(for: .seconds(max(0, began + entry.at - stage.now)))
                stage.say(entry.disturbance.description)
                stage.note { $0.planned[entry.disturbance.kind, default: 0] += 1 }
                group.addTask {
                    guard try await carryOut(entry.disturbance) else { return }
                    stage.note { $0.done[entry.disturbance.kind, default: 0] += 1 }
                }
            }
            try await group.waitForAll()
        }
    }

    /// False if it could not be done, or is only ordered.
    private func carryOut(_ disturbance: Disturbance) async throws -> Bool {
        switch disturbance {
        case .kill(let daemon, let time): return try await daemons[daemon].kill(downFor: time)
        case .restart(let daemon): return try await daemons[daemon].restart()
        case .pause(let daemon, let time): return try await daemons[daemon].pause(for: time)
        case .stepClock(let daemon, let offset): try daemons[daemon].stepClock(to: offset)
        case .cutDatabase:
            stage.proxy.cut()
            noteFault("database cut", for: 0)
        case .refuseDatabase(let time):
            try await fault("database refuses", for: time) {
                stage.proxy.refuse()
                stage.proxy.cut()
            } end: {
                try stage.proxy.admit()
            }
        case .swallowDatabase(let time):
            try await fault("database silent", for: time) {
                stage.proxy.halt()
            } end: {
                stage.proxy.resume()
            }
        case .delayDatabase(let delay, let time):
            try await fault("database slow", for: time) {
                stage.proxy.delay(toServer: .seconds(delay), toClient: .seconds(delay))
            } end: {
                stage.proxy.delay()
            }
        case .loseCommit(let silently):
            return try await loseAnswer(to: "stored AS", "a commit's answer lost", silently: silently)
        case .loseClaim(let silently):
            return try await loseAnswer(to: "free AS", "a claim's answer lost", silently: silently)
        case .endpointAway(let time):
            endpoint(Fault(.outage(.unavailable), duration: .seconds(time)), "endpoint away", for: time)
        case .endpointFlaky(let share, let time):
            let flakiness = Flakiness(share: share, kinds: [.refusal, .gateway, .unavailable, .reset])
            endpoint(Fault(.flaky(flakiness), duration: .seconds(time)), "endpoint flaky", for: time)
        case .loseReply(let account):
            stage.installation.simulator.set(Fault(.lostReply(sentBytes: 20), count: 1), for: .account("\(account)"))
            // Whether there was such a reply the provider knows in the end.
            return false
        }
        return true
    }

    /// Has the answer to the next such statement lost. False if another order took the place of this one, or the plan's time was over,
    /// before there was one.
    private func loseAnswer(to words: String, _ what: String, silently: Bool) async throws -> Bool {
        let lost = stage.proxy.counts.lostAnswers
        let order = stage.note { evidence in
            evidence.orders += 1
            return evidence.orders
        }
        stage.proxy.loseAnswer(to: words, then: silently ? .silence : .cut)
        while stage.proxy.counts.lostAnswers == lost {
            guard stage.now < stage.settings.seconds, stage.note({ $0.orders == order }) else { return false }
            try await Task.sleep(for: .milliseconds(50))
        }
        noteFault(what, for: silently ? stage.settings.statementTime : 0)
        return true
    }

    private func endpoint(_ fault: Fault, _ what: String, for time: Double) {
        stage.installation.simulator.set(fault)
        noteFault(what, for: time)
    }

    /// A fault of the database's that lasts.
    private func fault(_ what: String, for time: Double, _ begin: () -> Void, end: () throws -> Void) async throws {
        let began = stage.now
        let index = noteFault(what, for: .infinity)
        begin()
        try await Task.sleep(for: .seconds(max(0, began + time - stage.now)))
        try end()
        let now = stage.now
        stage.note { $0.faults[index].span.to = now }
    }

    @discardableResult
    private func noteFault(_ what: String, for time: Double) -> Int {
        let now = stage.now
        return stage.note { evidence in
            evidence.faults.append(Evidence.Fault(what: what, span: Span(from: now, to: now + time)))
            return evidence.faults.count - 1
        }
    }
}
