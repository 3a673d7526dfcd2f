// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The keys of log records, in one place so that every record spells them alike.
package enum LogKey {
    /// Whose account.
    package static let user = "user.id"
    /// What happened, in the words of the event feed.
    package static let event = "event"
    /// Tells the attempts of a process apart, so that one can be followed through the log.
    package static let attempt = "refresh.attempt"
    /// The number of the claim with which an attempt was made, as the database has it.
    package static let claim = "claim.epoch"
    /// How long the call took, in milliseconds.
    package static let duration = "refresh.duration_ms"
    /// The status that the account has now.
    package static let status = "grant.status"
    /// The status that the account had.
    package static let previousStatus = "grant.previous_status"
    /// The kind of a failure.
    package static let errorCode = "error.code"
    /// A failure in words.
    package static let error = "error.message"
    /// How many accounts a record speaks of.
    package static let accounts = "accounts"
    /// How many accounts the configured rate can keep fresh.
    package static let capacity = "capacity.accounts"
    /// The name of the OAuth client.
    package static let client = "client.name"
    /// What keeps refreshes from being made, in words.
    package static let cause = "breaker.cause"
    /// Refreshes of one account that a day allows.
    package static let budget = "refresh.daily_budget"
    /// Where something listens, or was to.
    package static let address = "address"
}
