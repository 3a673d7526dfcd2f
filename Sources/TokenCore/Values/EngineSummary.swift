// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How the engine does, over all accounts (product.md, `GET /v1/status`).
package struct EngineSummary: Hashable, Sendable {
    /// Accounts without a failure since their last success.
    package let healthy: Int
    /// Accounts that fail; their tokens may be alive yet.
    package let failing: Int
    /// Accounts for which a person must act.
    package let needingAPerson: Int
    /// Rows without a refresh token.
    package let withoutGrant: Int
    /// Accounts that stand in line for a refresh.
    package let inLine: Int
    /// Accounts being claimed and calls under way.
    package let inFlight: Int
    /// Answers that are not in the database yet.
    package let unstored: Int
    /// How many accounts the rate can keep fresh (`tastytokend_capacity_accounts`).
    package let capacity: Int

    /// Puts together what the engine counts.
    package init(
        healthy: Int,
        failing: Int,
        needingAPerson: Int,
        withoutGrant: Int,
        inLine: Int,
        inFlight: Int,
        unstored: Int,
        capacity: Int
    ) {
        self.healthy = healthy
        self.failing = failing
        self.needingAPerson = needingAPerson
        self.withoutGrant = withoutGrant
        self.inLine = inLine
        self.inFlight = inFlight
        self.unstored = unstored
        self.capacity = capacity
    }
}
