// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// An account's state in words, for the one who asks why (product.md, `GET explain`).

extension GrantStateMachine {
    /// Why the account stands as it does.
    package func reason(at now: Moment) -> String {
        switch standing {
        case .noGrant: "The row has no refresh token."
        case .unreadable(let reason): reason
        case .refused: "TastyTrade refused the grant twice: \(lastError ?? "it gave no reason")."
        case .unknownOutcome:
            "A reply was lost, and TastyTrade refuses the refresh token in the row since: the lost reply may have brought another."
        case .good: streak.map { Self.words(for: $0) } ?? wordsForPhase(at: now)
        }
    }

    /// What would mend it; nil where nothing is wrong, or nothing can be done but wait.
    package var remedy: String? {
        switch standing {
        case .noGrant: "Connect the account, or put a refresh token into its row."
        case .unreadable:
            "Mend what the reason names: put a missing key back and reload, set a damaged access token to NULL, or connect the account "
                + "again where the refresh token is damaged. Nothing is written over what stands there."
        case .refused, .unknownOutcome:
            "Connect the account again: the daemon takes up the new grant as soon as it is in the row."
        case .good: streak.flatMap { Self.remedy(for: $0.last.kind) }
        }
    }

    /// Why the account is looked at next when it is.
    package var reasonForDeadline: String {
        switch (standing, phase) {
        case (.refused, .resting):
            "A refused grant is tried hourly for a day, then daily, in case it was refused by mistake."
        case (_, .elsewhere):
            "Another daemon makes this refresh; its answer is looked for then, if it is not told of before."
        case (_, .inDoubt):
            "Another daemon's call may have brought another refresh token; its answer is looked for then, if it is not told of before."
        case (_, .storing), (_, .salvaging): "What the endpoint gave could not be stored yet; that is tried again then."
        case _ where isPutOff:
            "The day's budget of refreshes is spent: the next is made when the token is about to die."
        case _ where streak != nil:
            "After a failure the next try waits, longer with each failure, or as long as the endpoint asked."
        default: "The schedule: at the configured share of the token's life, with jitter."
        }
    }

    private func wordsForPhase(at now: Moment) -> String {
        switch phase {
        case .resting where life?.isAlive(at: now) == true: "The token at hand is alive, and nothing is wrong."
        case .resting: "There is no live token at hand, and a refresh is due."
        case .queued: "It stands in line for a refresh; refresh.maxPerSecond and refresh.maxInFlight set the pace."
        case .elsewhere: "Another daemon has claimed the refresh."
        case .inDoubt:
            "Another daemon made a call of which nothing is known: the refresh token may be spent, and is tried again only when the token at hand is about to die."
        case .refreshing: "A refresh is in flight."
        case .storing, .salvaging: "What the endpoint gave is being stored."
        }
    }

    private static func words(for streak: FailureStreak) -> String {
        let count = streak.count == 1 ? "The last refresh" : "The last \(streak.count) refreshes"
        return "\(count) failed: \(streak.last)."
    }

    private static func remedy(for kind: RefreshFailure.Kind) -> String? {
        switch kind {
        case .grantRefused: "It is tried once more; if that is refused too, the account must be connected again."
        case .clientRefused: "Check tastytrade.clientSecret and tastytrade.env: the fault is not this account's."
        case .throttled:
            "Too many calls come from this address: lower refresh.maxPerSecond, or look for another program that calls TastyTrade."
        case .nameResolution, .connect: "See whether this host reaches the endpoint: tastytokend check."
        case .tls: "See whether the endpoint's certificate is trusted here: tastytokend check, tastytrade.caFile."
        case .redirected: "Check tastytrade.apiUrl: it answers with a redirect, which is never followed."
        case .gateway, .requestRejected, .malformed:
            "Check tastytrade.apiUrl, and whether a proxy or firewall answers in the endpoint's place."
        case .storeUnavailable: "See to the database; the refresh follows by itself."
        case .storeRejected: "See why the database takes no write to this row: the log has its words."
        case .journalUnavailable: "See to the folder of journal.path: the log says what is wrong with it."
        case .noProgress: "Another program may refresh the same grant, or a cache stands before the endpoint."
        case .serverFault, .timeout, .connectionLost, .callUnderWay: nil
        }
    }
}
