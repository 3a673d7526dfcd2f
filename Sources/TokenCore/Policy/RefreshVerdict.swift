// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What becomes of a caller's wish for a new token (product.md, `POST refresh`).
package enum RefreshVerdict: Sendable {
    /// A refresh is under way that replaces this token, nil where there is none.
    case underWay(replacing: PublishedToken?)
    /// The token that the caller named is not the current one any more, which is this; nil where there is none alive.
    case stale(PublishedToken?)
    /// None is begun for a caller yet, for that reason; the caller may come again after that time.
    case tooSoon(Duration, OrderLimit)
    /// None can be had now, whoever asks; the time is known while the account backs off.
    case unavailable(HandOutCode, retryAfter: Duration?)
    /// There is no such row.
    case unknownUser
}

/// What keeps a caller's wish for a new token from being met at once, although the account is well.
package enum OrderLimit: Hashable, Sendable {
    /// The last token is less than the policy's spacing old.
    case justRefreshed
    /// The last token is handed out already, and its copy is on its way into the row.
    case stillStoring
    /// The day's budget is spent.
    case budgetSpent
}

extension RefreshVerdict {
    /// What an account's prospect says of a refresh that is not under way; nil if one may be begun, or is.
    package init?(_ prospect: RefreshProspect, at now: Moment) {
        switch prospect {
        case .possible, .underWay: return nil
        case .backingOff(let until):
            self = .unavailable(.tokenUnavailable, retryAfter: max(until.remaining(at: now), .zero))
        case .refused, .unknownOutcome, .unreadable, .noGrant:
            self = .unavailable(HandOutCode(prospect), retryAfter: nil)
        }
    }
}
