// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// How long nobody is let in after that could not be done: 50 ms, twice as long each time in a row (100, 200, … ms), and a
/// second at most, since what makes room for a caller may wake nobody here.
struct AcceptPause {
    private static let first: Duration = .milliseconds(50)
    private static let longest: Duration = .seconds(1)

    private var length = first
    private var until: BootTime?

    /// Whether the pause goes on, or has not been ended.
    var isOn: Bool { until != nil }

    /// Begins a pause, longer than the last one unless somebody was let in since.
    mutating func begin(at now: Moment) {
        until = now.boot + length
        length = min(length * 2, Self.longest)
    }

    /// Milliseconds that are left of it, rounded up; nil if there is none.
    func remaining(at now: Moment) -> Int32? {
        until.map { Poller.milliseconds(until: $0, from: now) }
    }

    /// Ends it once its time is up; false if it goes on, or there is none.
    mutating func endIfOver(at now: Moment) -> Bool {
        guard let until, now.boot >= until else { return false }
        self.until = nil
        return true
    }

    /// Somebody was let in: the next pause is a short one again.
    mutating func relax() {
        length = Self.first
    }
}
