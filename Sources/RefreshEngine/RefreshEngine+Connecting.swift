// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
package import TokenCore

/// Accounts that were connected, or disconnected, and clients that were changed by this daemon, beside the engine.
extension RefreshEngine {
    /// So often a row is read that moves under the reading.
    private static let mostReads = 3

    /// Has an account's row read, and waits until what it says is taken in. If it cannot be read now, the next pass sees it.
    ///
    /// - Parameters:
    ///   - user: whose row was written.
    ///   - isProven: whether its refresh token was just used, so that it cannot be one that was replaced before.
    package func rowWasWritten(of user: UserID, isProven: Bool) async {
        do throws(StoreFailure) {
            // A client that was put in a moment ago, be it by another daemon.
            try await learnClients()
            // A rotated token that is stored meanwhile must not be undone by what was read before.
            for _ in 0..<Self.mostReads {
                let held = versions(of: [user])
                let row = try await store.rows(of: [user]).first
                guard moved([user], since: held).isEmpty else { continue }
                if isProven, let row { spent.proved(row.grant.version, of: user) }
                if let row { take([row]) } else { remove(user) }
                return advance()
            }
            reread(user)
        } catch {
            note(error, "a row that was written could not be read", accounts: 1)
            reread(user)
        }
        advance()
    }

    /// Has the OAuth clients read, and waits until they are taken in. If they cannot be read now, the next pass sees them.
    package func clientsWereChanged() async {
        do throws(StoreFailure) {
            try await learnClients()
        } catch {
            note(error, "the OAuth clients could not be read")
        }
    }
}
