// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// A new refresh token out of a reply that is no good otherwise (hard case H9). The endpoint may have done away with the
// old one, so the new one is stored before anything else is tried. No token comes of it, so nothing is handed out.

extension GrantStateMachine {
    /// Stores the new refresh token.
    mutating func salvage(_ newRefreshToken: Secret) -> Step {
        phase = .salvaging(newRefreshToken)
        return armed(nil, .salvage(newRefreshToken))
    }

    /// The row holds the new refresh token now, as that version. The account goes on by its backoff, with that one.
    package mutating func salvaged(grantVersion version: Int64, _ occasion: Occasion) -> Step {
        // The row was given another grant while this one was being stored.
        guard case .salvaging = phase else { return .nothing }
        phase = .resting
        grantVersion = version
        if case .refused = standing { standing = .good }
        if var streak {
            streak.forgetRefusal()
            trouble = .streak(streak)
        }
        return armed(occasion.now + backoffDelay(occasion))
    }

    /// The row is gone or holds another refresh token than the one that was used: the new one belongs to nobody here.
    package mutating func salvageSuperseded(_ occasion: Occasion) -> Step {
        // The row's change was noticed before the write's outcome was.
        guard case .salvaging = phase else { return .nothing }
        phase = .resting
        // Should the reread fail too, the deadline brings the account back.
        return armed(occasion.now + occasion.policy.backoff.initial, .reread)
    }

    /// The new refresh token could not be stored, now. It is kept, and stored at the next try.
    package mutating func salvageFailed(_ failure: RefreshFailure, _ occasion: Occasion) -> Step {
        // The row was given another grant while this one was being stored.
        guard case .salvaging = phase else { return .nothing }
        note(failure, at: occasion.now)
        return armed(occasion.now + min(backoffDelay(occasion), occasion.policy.longestStoreBackoff))
    }
}
