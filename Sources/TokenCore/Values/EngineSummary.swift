// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How the engine does, over all accounts (product.md, `GET /v1/status`).
package struct EngineSummary: Hashable, Sendable {
    /// How accounts stand.
    package let accounts: AccountTally
    /// Accounts that stand in line for a refresh.
    package let inLine: Int
    /// Accounts being claimed and calls under way.
    package let inFlight: Int
    /// Answers that are not in the database yet.
    package let unstored: Int
    /// How many accounts the rate can keep fresh (`tastytokend_capacity_accounts`).
    package let capacity: Int
    /// Why no refreshes are made, in words, by client where there are several; nil while they are made for every client.
    package let stoppedFor: String?

    /// Puts together what the engine counts.
    package init(accounts: AccountTally, inLine: Int, inFlight: Int, unstored: Int, capacity: Int, stoppedFor: String?)
    {
        self.accounts = accounts
        self.inLine = inLine
        self.inFlight = inFlight
        self.unstored = unstored
        self.capacity = capacity
        self.stoppedFor = stoppedFor
    }
}
