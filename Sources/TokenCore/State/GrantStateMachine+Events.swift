// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What a change is to those who follow along.

extension GrantStateMachine {
    /// What has happened since the account stood as `before`, in the order in which it is told.
    package func events(since before: GrantStateMachine, at now: Moment) -> [AccountEvent.Kind] {
        var kinds: [AccountEvent.Kind] = []
        if !before.hasGrant, hasGrant { kinds.append(.grantAdded) }
        if tokenFingerprint != before.tokenFingerprint, life?.isAlive(at: now) == true { kinds.append(.tokenRefreshed) }
        if hasFailedToRefresh(since: before) { kinds.append(.refreshFailed) }
        if isRefused, !before.isRefused { kinds.append(.grantRefused) }
        if before.hasGrant, !hasGrant { kinds.append(.grantRemoved) }
        if lastingStatus(at: now) != lastTold(before, now) { kinds.append(.statusChanged) }
        return kinds
    }

    /// The status without the coming and going of refreshes.
    package func lastingStatus(at now: Moment) -> GrantStatus {
        let status = status(at: now)
        return status == .refreshing ? .active : status
    }

    /// The lasting status that the account had when it stood as `before`. A token dies without an input: the failure that comes
    /// after that tells of it.
    package func lastTold(_ before: GrantStateMachine, _ now: Moment) -> GrantStatus {
        guard hasFailed(since: before), let streak = before.streak else { return before.lastingStatus(at: now) }
        return before.lastingStatus(at: streak.lastAt)
    }

    /// Whether its row holds a refresh token.
    package var hasGrant: Bool {
        if case .noGrant = standing { false } else { true }
    }

    private var isRefused: Bool {
        if case .refused = standing { true } else { false }
    }

    /// A failure to store is no failure to refresh, and neither is what another daemon found out about the grant.
    private func hasFailedToRefresh(since before: GrantStateMachine) -> Bool {
        switch (before.phase, phase) {
        case (.refreshing, .resting), (.refreshing, .salvaging): hasFailed(since: before)
        case (.queued, .resting): hasFailed(since: before) && !isRefused
        default: false
        }
    }

    private func hasFailed(since before: GrantStateMachine) -> Bool {
        (streak?.count ?? 0) > (before.streak?.count ?? 0)
    }
}
