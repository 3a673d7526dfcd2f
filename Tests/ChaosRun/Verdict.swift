// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What came of a run.
struct Verdict: Hashable, Sendable {
    /// How often tokens were asked for.
    var looks = 0
    /// How many refresh calls there were.
    var calls = 0
    /// Grants that were killed though nobody had lost a reply.
    var grantsLost = 0
    /// Grants of strict accounts that a lost reply cost, and why it was lost.
    var repliesLost: [String] = []
    /// Refreshes that were made twice for no reason.
    var refreshedTwice = 0
    /// Refreshes that had to be made again, and why.
    var repetitions: [String] = []
    /// The longest time that a daemon had no live token for an account.
    var longestGap = 0.0
    /// The longest part of such a time in which nothing was wrong.
    var longestBeyond = 0.0
    /// Where that was.
    var longestBeyondWords = ""
    /// Dead tokens that were handed out.
    var deadTokens = 0
    /// How many processes lived long enough to say something of their growth.
    var processesWeighed = 0
    /// The most that one of them grew, in KiB.
    var memoryGrowth = 0
    /// The most descriptors that one of them had more at the end.
    var descriptorGrowth = 0
    /// How often each kind of disturbance came, of how often it was to come.
    var disturbances: [String] = []
    /// Why the run has failed; nothing if it has not.
    var failures: [String] = []

    /// What is printed at the end.
    var report: [String] {
        let lines = [
            ("tokens asked for", "\(looks)"), ("refresh calls", "\(calls)"), ("grants lost", "\(grantsLost)"),
            ("grants that a lost reply cost", "\(repliesLost.count)"),
            ("refreshed twice", "\(refreshedTwice)"),
            ("made again for a reason", "\(repetitions.count)"),
            ("longest without a live token", longestGap.seconds),
            ("the same, beyond the fault", "\(longestBeyond.seconds) \(longestBeyondWords)"),
            ("dead tokens handed out", "\(deadTokens)"),
            ("growth of \(processesWeighed) processes", "\(memoryGrowth) KiB, \(descriptorGrowth) descriptors"),
        ]
        let details =
            disturbances + repliesLost.map { "lost reply: \($0)" } + repetitions.map { "made again: \($0)" }
        return details
            + lines.map { name, value in
                "  " + name + String(repeating: " ", count: max(1, 34 - name.count)) + value
            }
    }
}
