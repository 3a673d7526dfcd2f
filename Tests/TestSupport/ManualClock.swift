// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// A pair of clocks that stand still until the test moves them, together or apart.
package final class ManualClock: Sendable {
    private let moment: Mutex<Moment>

    package init(_ start: Moment = .newYear) {
        self.moment = Mutex(start)
    }

    package var now: Moment { moment.withLock { $0 } }

    /// The clock as the parts under test take it.
    package var reading: ClockReading { { self.now } }

    /// Time goes by, on both clocks.
    package func advance(by duration: Duration) {
        moment.withLock { $0 = $0 + duration }
    }

    /// Somebody sets the wall clock.
    package func stepWall(by duration: Duration) {
        moment.withLock { $0 = Moment(wall: $0.wall + duration, boot: $0.boot) }
    }
}
