// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
package import TokenCore

/// What happened to accounts, told to those who follow along, and to the log where an operator would want to know.
extension RefreshEngine {
    /// See ``TokenServing/eventsEnd``.
    package nonisolated var eventsEnd: EventPosition { feed.end }

    /// See ``TokenServing/events(from:atMost:)``.
    package nonisolated func events(from start: EventPosition, atMost limit: Int) -> EventPage {
        feed.events(from: start, atMost: limit)
    }

    /// See ``TokenServing/onEvent(after:_:)``.
    package nonisolated func onEvent(
        after position: EventPosition,
        _ wake: @escaping @Sendable () -> Void
    ) -> EventWaiter? {
        feed.onEvent(after: position, wake)
    }

    /// Forgets a waiter.
    package nonisolated func cancel(_ waiter: EventWaiter) {
        feed.cancel(waiter)
    }

    /// Tells of all that one input changed.
    func tell(_ before: GrantStateMachine, _ after: GrantStateMachine, of user: UserID, _ now: Moment) {
        if after.isPutOff, !before.isPutOff { logBudget(user, after) }
        for kind in after.events(since: before, at: now) {
            tell(kind, user, after, now)
            if kind == .statusChanged { logStatus(user, after.lastTold(before, now), after, now) }
        }
    }

    /// Tells of an account that was not there before, unless it was before everything is loaded: then all are new.
    func tellOfNew(_ account: Account, _ now: Moment) {
        guard isReady, account.machine.hasGrant else { return }
        tell(.grantAdded, account.user, account.machine, now)
    }

    /// Tells of an account whose row is gone.
    func tellOfRemoved(_ account: Account, _ now: Moment) {
        logger.notice(
            "account removed",
            metadata: [LogKey.user: "\(account.user)", LogKey.event: "\(AccountEvent.Kind.grantRemoved.rawValue)"]
        )
        guard account.machine.hasGrant else { return }
        feed.add(
            AccountEvent(
                .grantRemoved,
                of: account.user,
                at: now.wall,
                status: .noGrant,
                expiresAt: nil,
                failure: nil
            )
        )
    }

    /// One step of a refresh, so that it can be followed through the log by its account and its number.
    func follow(
        _ user: UserID,
        _ attempt: UInt64?,
        _ step: Logger.Message,
        claim: Claim? = nil,
        event: String? = nil
    ) {
        guard logger.logLevel <= .debug else { return }
        var metadata: Logger.Metadata = [LogKey.user: "\(user)"]
        if let attempt { metadata[LogKey.attempt] = .stringConvertible(attempt) }
        if let claim { metadata[LogKey.claim] = .stringConvertible(claim.epoch) }
        if let event { metadata[LogKey.event] = "\(event)" }
        logger.debug(step, metadata: metadata)
    }

    private func tell(_ kind: AccountEvent.Kind, _ user: UserID, _ machine: GrantStateMachine, _ now: Moment) {
        feed.add(
            AccountEvent(
                kind,
                of: user,
                at: now.wall,
                status: machine.lastingStatus(at: now),
                expiresAt: machine.life?.expiresAt.wall,
                failure: machine.streak?.last.kind
            )
        )
    }

    private func logStatus(_ user: UserID, _ old: GrantStatus, _ after: GrantStateMachine, _ now: Moment) {
        let new = after.lastingStatus(at: now)
        if new == .reauthorizationRequired || new == .unknownOutcome { note(user, after, new) }
        var metadata: Logger.Metadata = [
            LogKey.user: "\(user)",
            LogKey.event: "\(AccountEvent.Kind.statusChanged.rawValue)",
            LogKey.status: "\(new.rawValue)",
            LogKey.previousStatus: "\(old.rawValue)",
        ]
        if let error = after.lastError { metadata[LogKey.error] = "\(error)" }
        if let failure = after.streak?.last { metadata[LogKey.errorCode] = "\(failure.kind.rawValue)" }
        logger.log(level: Self.level(of: new), "account changed status", metadata: metadata)
    }

    private func logBudget(_ user: UserID, _ machine: GrantStateMachine) {
        logger.error(
            "daily budget spent, refreshing only just before the token ends",
            metadata: [
                LogKey.user: "\(user)", LogKey.event: "budget.spent",
                LogKey.budget: .stringConvertible(configuration.policy.dailyBudget),
            ]
        )
    }

    private static func level(of status: GrantStatus) -> Logger.Level {
        switch status {
        case .active, .refreshing, .noGrant: .notice
        case .degraded: .warning
        case .expired, .reauthorizationRequired, .unknownOutcome, .unreadable: .error
        }
    }
}
