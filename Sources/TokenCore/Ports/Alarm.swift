// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// One bell for all accounts (architecture.md, decision 4). Adapter: `DispatchAlarm`; double: `ManualAlarm`.
package protocol Alarm: Sendable {
    /// Rings at `deadline`, at the latest thirty seconds from now, and forgets what was armed before. An alarm may ring
    /// early (a step of the clock): whoever listens looks at the time again.
    func arm(at deadline: WallTime)
}

/// Where the time comes from; reads both clocks one right after the other.
package typealias ClockReading = @Sendable () -> Moment
