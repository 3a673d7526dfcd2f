// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
import Synchronization

/// How serious a record must be to be written, for all loggers together; it can be changed while they are in use.
package final class LogThreshold: Sendable {
    private let index: Atomic<Int>

    /// What is less serious than the level is not written.
    package init(_ level: Logger.Level) {
        index = Atomic(Logger.Level.allCases.firstIndex(of: level) ?? 0)
    }

    /// What is less serious is not written from now on.
    package var level: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set { index.store(Logger.Level.allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }
}
