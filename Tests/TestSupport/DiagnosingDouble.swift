// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Finds what a test says.
package final class DiagnosingDouble: Diagnosing {
    private let state = Mutex<[UserID: Diagnosis]>([:])
    private let gate = Mailbox<Void>()
    private let isHeld = Mutex(false)
    /// Whose diagnosis was asked for, as it comes.
    package let requests = Mailbox<UserID>()

    package init() {}

    /// What is found from now on.
    package func find(_ diagnosis: Diagnosis) { state.withLock { $0[diagnosis.user] = diagnosis } }
    /// The next call is answered only when it is let go on.
    package func hold() { isHeld.withLock { $0 = true } }
    /// Lets the call that is held go on.
    package func release() { gate.send(()) }

    package func diagnose(_ user: UserID) async -> Diagnosis? {
        requests.send(user)
        let waits = isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        // Not within the call's own task, which may be cancelled.
        if waits { await Task.detached { [gate] in await gate.next() }.value }
        return state.withLock { $0[user] }
    }
}
