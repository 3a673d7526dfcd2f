// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What others may know of an account.

extension GrantStateMachine {
    /// The status in the contract's words.
    package func status(at now: Moment) -> GrantStatus {
        status(withLivingToken: life?.isAlive(at: now) ?? false)
    }

    /// The status if the token at hand is alive, or is not; time does not change it otherwise.
    func status(withLivingToken isAlive: Bool) -> GrantStatus {
        switch standing {
        case .noGrant: return .noGrant
        case .unreadable: return .unreadable
        case .refused: return .reauthorizationRequired
        case .unknownOutcome: return .unknownOutcome
        case .good: break
        }
        guard streak == nil else { return isAlive ? .degraded : .expired }
        switch phase {
        case .resting, .queued, .elsewhere, .inDoubt: return isAlive ? .active : .refreshing
        case .refreshing, .storing, .salvaging: return .refreshing
        }
    }

    /// What a caller who needs a fresher token may expect.
    package func prospect(at now: Moment) -> RefreshProspect {
        switch standing {
        case .noGrant: return .noGrant
        case .unreadable: return .unreadable
        case .refused: return .refused
        case .unknownOutcome: return .unknownOutcome
        case .good: break
        }
        switch phase {
        case .queued, .elsewhere, .refreshing: return .underWay
        case .storing(let answer, isPublished: false) where answer.mayBeHandedOut: return .underWay
        case .storing(_, let isPublished):
            guard let deadline, isPublished || streak != nil else { return .underWay }
            return .backingOff(until: deadline)
        case .inDoubt, .salvaging: return deadline.map { .backingOff(until: $0) } ?? .underWay
        case .resting:
            guard streak != nil || isPutOff, let deadline else { return .possible }
            return .backingOff(until: deadline)
        }
    }

    /// The last failure in words; for a row that cannot be read, why.
    package var lastError: String? {
        if case .unreadable(let reason) = standing { return reason }
        return streak?.last.description
    }
}
