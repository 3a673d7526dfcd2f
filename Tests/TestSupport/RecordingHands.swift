// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Remembers who was taken in hand for what, and has those left alone that the test names.
package final class RecordingHands: AccountsInHand {
    /// One account, taken in hand.
    package struct Taken: Hashable, Sendable {
        package let user: UserID
        package let version: Int64
        package let step: HandlingStep

        package init(_ user: UserID, _ version: Int64, _ step: HandlingStep) {
            (self.user, self.version, self.step) = (user, version, step)
        }
    }

    private struct State {
        var taken: [Taken] = []
        var open = 0
        var left: [UserID: String] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Who was taken, in order.
    package var taken: [Taken] { state.withLock(\.taken) }

    /// How many are in hand.
    package var open: Int { state.withLock(\.open) }

    /// Has an account left alone, or not any more.
    package func leave(_ user: UserID, because reason: String?) {
        state.withLock { $0.left[user] = reason }
    }

    /// Forgets who was taken.
    package func forget() {
        state.withLock { $0.taken = [] }
    }

    package func take(_ user: UserID, _ version: Int64, _ step: HandlingStep) -> Bool {
        state.withLock { state in
            state.taken.append(Taken(user, version, step))
            state.open += 1
            return true
        }
    }

    package func putDown() {
        state.withLock { $0.open -= 1 }
    }

    package func reasonToLeave(_ user: UserID, _ version: Int64) -> String? {
        state.withLock { $0.left[user] }
    }
}
