// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The keys of the engine's log records, in one place so that every record spells them alike.
enum LogKey {
    /// Whose account.
    static let user = "user.id"
    /// What happened, in the words of the event feed.
    static let event = "event"
    /// Tells the attempts of a process apart, so that one can be followed through the log.
    static let attempt = "refresh.attempt"
    /// The number of the claim with which an attempt was made, as the database has it.
    static let claim = "claim.epoch"
    /// How long the call took, in milliseconds.
    static let duration = "refresh.duration_ms"
    /// The status that the account has now.
    static let status = "grant.status"
    /// The status that the account had.
    static let previousStatus = "grant.previous_status"
    /// The kind of a failure.
    static let errorCode = "error.code"
    /// A failure in words.
    static let error = "error.message"
    /// How many accounts a record speaks of.
    static let accounts = "accounts"
    /// How many accounts the configured rate can keep fresh.
    static let capacity = "capacity.accounts"
    /// The name of the OAuth client.
    static let client = "client.name"
    /// What keeps refreshes from being made, in words.
    static let cause = "breaker.cause"
    /// Refreshes of one account that a day allows.
    static let budget = "refresh.daily_budget"
}

extension Duration {
    /// Milliseconds, as log records have them.
    var logMilliseconds: Logger.MetadataValue { .stringConvertible(nanoseconds / 1_000_000) }
}
