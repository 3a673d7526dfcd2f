// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension GrantStatus {
    /// How an account stands, in a few words.
    var words: String {
        switch self {
        case .active: "Connected"
        case .refreshing: "Connected, refreshing now"
        case .degraded: "Refreshes fail, token alive"
        case .expired: "Refreshes fail, no live token"
        case .reauthorizationRequired: "Refused by TastyTrade"
        case .unknownOutcome: "Outcome of a refresh unknown"
        case .unreadable: "Cannot be read"
        case .noGrant: "Not connected"
        }
    }

    /// The colour of the words: `good`, `warn`, `bad` or `none`. The words say the same without it.
    var tone: String {
        switch self {
        case .active, .refreshing: "good"
        case .degraded: "warn"
        case .expired, .reauthorizationRequired, .unknownOutcome, .unreadable: "bad"
        case .noGrant: "none"
        }
    }

    /// Whether there is anything to say beyond that.
    var isTrouble: Bool {
        switch self {
        case .active, .refreshing: false
        case .degraded, .expired, .reauthorizationRequired, .unknownOutcome, .unreadable, .noGrant: true
        }
    }

    /// Whether it is mended by a new grant.
    var needsGrant: Bool {
        switch self {
        case .reauthorizationRequired, .unknownOutcome, .noGrant: true
        case .active, .refreshing, .degraded, .expired, .unreadable: false
        }
    }

    /// What to do where the engine knows nothing better.
    var whatToDo: String {
        switch self {
        case .active, .refreshing: "Nothing."
        case .degraded, .expired: "Nothing for now: the service goes on trying."
        case .reauthorizationRequired, .unknownOutcome: "Connect the account again."
        case .unreadable:
            "Put the missing key back and reload, or connect the account again where the token is damaged."
        case .noGrant: "Connect the account."
        }
    }
}

extension TradeEnvironment {
    /// What people call it.
    var words: String {
        switch self {
        case .production: "Production (real accounts)"
        case .sandbox: "Sandbox (certification)"
        }
    }
}
