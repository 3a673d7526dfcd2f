// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// An alarm that rings when the test says so, and tells what it was armed for.
package final class ManualAlarm: Alarm {
    private let armed = Mutex<WallTime?>(nil)

    package init() {}

    package func arm(at deadline: WallTime) {
        armed.withLock { $0 = deadline }
    }

    /// What it is armed for; nil if it never was.
    package var deadline: WallTime? { armed.withLock { $0 } }
}
