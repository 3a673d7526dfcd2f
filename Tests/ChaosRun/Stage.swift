// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import TokenSimulator

/// What all parts of a run share: the installation, the proxy before its database, the clock, and the evidence.
final class Stage: Sendable {
    let settings: ChaosSettings
    let installation: Installation
    let proxy: DatabaseProxy
    private let start: SimulatorInstant
    private let evidence = Mutex(Evidence())
    private let isOver = Mutex(false)

    init(_ settings: ChaosSettings, _ installation: Installation, _ proxy: DatabaseProxy) {
        (self.settings, self.installation, self.proxy) = (settings, installation, proxy)
        start = SimulatorInstant.systemNow()
    }

    /// Seconds since the beginning.
    var now: Double { seconds(SimulatorInstant.systemNow()) }

    /// Whether whoever looks again and again is to stop.
    var isFinished: Bool { isOver.withLock { $0 } }

    /// Has everybody stop.
    func finish() { isOver.withLock { $0 = true } }

    /// An instant in seconds since the beginning.
    func seconds(_ instant: SimulatorInstant) -> Double { Double(instant.nanoseconds - start.nanoseconds) / 1e9 }

    /// Adds to the evidence.
    func note<Value: Sendable>(_ body: (inout sending Evidence) -> sending Value) -> Value { evidence.withLock(body) }

    /// Everything that was seen, with what the simulator has to tell.
    func finalEvidence() -> Evidence {
        var evidence = evidence.withLock { $0 }
        evidence.calls = installation.simulator.requests.compactMap(call)
        let lostReplies = evidence.calls.count(where: \.isReplyLost)
        if lostReplies > 0 { evidence.done[Disturbance.lostReply] = lostReplies }
        return evidence
    }

    /// Says a line of the run's log.
    func say(_ line: String) {
        print("  \(now.seconds) \(line)")
        fflush(nil)
    }

    private func call(_ record: RequestRecord) -> Evidence.Call? {
        guard let account = record.account.flatMap({ Int($0) }) else { return nil }
        let host = record.headers.first { $0.name.lowercased() == "host" }?.value ?? ""
        return Evidence.Call(
            at: seconds(record.receivedAt),
            daemon: ChaosDaemon.number(ofHost: host),
            account: account,
            gaveToken: record.outcome.madeToken,
            token: record.tokenID,
            isReplyLost: record.outcome.madeToken && record.outcome != .issued,
            isReuse: record.isReuse,
            killsGrant: record.killsGrant
        )
    }
}
