// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Says whether a run has shown anything: one in which nothing was asked for, nobody refreshed, or a disturbance never came about would
/// pass every other judgement. Pure.
enum RunJudge {
    /// Adds to a verdict what was done, and fails it for what was planned and never was.
    static func judge(_ evidence: Evidence, _ settings: ChaosSettings, _ verdict: inout Verdict) {
        if evidence.looks == 0 { verdict.failures.append("nobody asked for a token") }
        if verdict.processesWeighed == 0 {
            verdict.failures.append("no process was looked at for long enough to say whether it grows")
        }
        let callers = Set(evidence.calls.map(\.daemon))
        for daemon in Set(0..<settings.daemons).symmetricDifference(callers).sorted() {
            verdict.failures.append(
                callers.contains(daemon)
                    ? "somebody made a call who is no daemon of this run" : "daemon \(daemon) made no call"
            )
        }
        for (kind, planned) in evidence.planned.sorted(by: { $0.key < $1.key }) {
            let done = evidence.done[kind, default: 0]
            verdict.disturbances.append("\(kind): \(done) of \(planned)")
            if done == 0 { verdict.failures.append("\(kind): planned \(planned) times, and never done") }
        }
    }
}
