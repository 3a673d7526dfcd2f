// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Tells from one reading of the accounts to the next what has changed. It keeps a number an account, however many there are.
struct AccountChanges {
    private var known: [String: Int] = [:]
    private var seen: [String: Int] = [:]

    /// Nothing was read yet, so that every account is new.
    init() {}

    /// Takes a part of a reading; gives the accounts that stand otherwise than in the reading before.
    mutating func take(_ entries: [AccountPage.Entry]) -> [AccountPage.Entry] {
        entries.filter { entry in
            let mark = entry.status.hashValue
            seen[entry.status.user] = mark
            return known[entry.status.user] != mark
        }
    }

    /// Ends a reading; gives the users that were in the one before and are not in this one, in order.
    mutating func finish() -> [String] {
        let gone = known.keys.filter { seen[$0] == nil }.sorted()
        (known, seen) = (seen, [:])
        return gone
    }

    /// Forgets a reading that was not finished.
    mutating func giveUp() {
        seen = [:]
    }
}
