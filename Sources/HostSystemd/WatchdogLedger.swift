// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Decides when the service manager's watchdog may be petted (hard case H26): only once every part has moved on since
/// the last time. Pure: counters and time are handed in.
package struct WatchdogLedger: Sendable {
    /// What to do now.
    package enum Verdict: Hashable, Sendable {
        /// Every part moved on: pet.
        case pet
        /// The last time is too short ago for another message to be worth it.
        case tooSoon
        /// Some parts, by their place in the list, have not moved since the last time.
        case held(by: [Int])
    }

    /// How long the manager waits before it takes the daemon for stuck (`WatchdogSec=`).
    package let timeout: Duration
    private var seen: [UInt64]
    private var lastPet: BootTime?

    /// Keeps account of as many parts as there are counters; a part counts as moved once it leaves the given number.
    package init(timeout: Duration, counters: [UInt64]) {
        self.timeout = timeout
        self.seen = counters
    }

    /// How often ``decide(counters:at:)`` must be asked at least, and how far apart two messages are at least: a
    /// quarter of the timeout, so that the two together stay within the half that sd_watchdog_enabled(3) recommends.
    package var interval: Duration { timeout / 4 }

    /// Looks at the counters; after `.pet` they are what the next time is measured against.
    package mutating func decide(counters: [UInt64], at now: BootTime) -> Verdict {
        precondition(counters.count == seen.count, "a part was added after the ledger was opened")
        if let lastPet, now - lastPet < interval { return .tooSoon }
        let stalled = counters.indices.filter { counters[$0] == seen[$0] }
        guard stalled.isEmpty else { return .held(by: stalled) }
        seen = counters
        lastPet = now
        return .pet
    }
}
