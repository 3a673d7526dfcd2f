// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The end of a wait, on the clock that nobody can set.
struct Deadline: Sendable {
    /// The length of the wait, for words.
    let limit: Duration
    private let end: BootTime
    private let clock: ClockReading

    /// The deadline that lies `limit` after now.
    init(after limit: Duration, clock: @escaping ClockReading) {
        self.limit = limit
        self.end = clock().boot + limit
        self.clock = clock
    }

    /// What is left; zero or negative once it is over.
    var remaining: Duration { end - clock().boot }

    /// Whether nothing is left.
    var isOver: Bool { remaining <= .zero }

    /// The sooner of this deadline and the one `other` from now.
    func shortened(to other: Duration) -> Deadline {
        other < remaining ? Deadline(after: other, clock: clock) : self
    }
}
