// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenSimulator

/// A clock that stands still until it is told to go on.
final class ManualClock: Sendable {
    private let instant = Mutex(SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000))

    /// The time now.
    var now: SimulatorInstant { instant.withLock { $0 } }

    /// Lets time pass.
    func advance(by duration: Duration) {
        instant.withLock { $0 = $0 + duration }
    }
}
