// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How many refreshes of one account were begun today, a day being 24 hours from the first of them. Eight bytes, since
/// every account has one.
///
/// It guards against hammering by mistake (a life read wrongly, a caller in a loop): in the ordinary course an account is
/// refreshed 160 times a day. TastyTrade blocks addresses for too many calls (fact sheet section 11).
package struct RefreshBudget: Hashable, Sendable {
    private static let day: Int64 = 86_400

    private var beganAt: Int32 = 0
    private var spent: Int32 = 0

    /// Nothing is spent.
    package init() {}

    /// A refresh is begun.
    package mutating func spend(at now: BootTime) {
        if spent == 0 || isOver(at: now) {
            beganAt = Self.seconds(now)
            spent = 0
        }
        spent = min(spent + 1, Int32.max - 1)
    }

    /// Whether as many were begun today as may be.
    package func isSpent(_ limit: Int, at now: BootTime) -> Bool {
        Int(spent) >= limit && !isOver(at: now)
    }

    private func isOver(at now: BootTime) -> Bool {
        Int64(Self.seconds(now)) - Int64(beganAt) >= Self.day
    }

    private static func seconds(_ now: BootTime) -> Int32 {
        Int32(clamping: now.nanoseconds / 1_000_000_000)
    }
}
