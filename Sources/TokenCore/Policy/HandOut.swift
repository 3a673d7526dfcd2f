// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Whether a caller who needs a fresher token than the one at hand can hope for one now, and if not, why.
package enum RefreshProspect: Hashable, Sendable {
    /// A refresh may be started at once.
    case possible
    /// A refresh is queued or in flight; joining it is all there is to do.
    case underWay
    /// The last refreshes failed; the next try is at that time and is not brought forward for a caller. Few accounts do, so
    /// the time is kept apart, and a prospect is one word.
    indirect case backingOff(until: Moment)
    /// The grant was refused for good.
    case refused
    /// A reply was lost on a provider that rotates refresh tokens.
    case unknownOutcome
    /// What stands in the row cannot be opened or is not a token.
    case unreadable
    /// The row has no refresh token.
    case noGrant
}

/// What the answering path knows of one account; read from memory, from any thread.
package struct BoardEntry: Sendable {
    /// The token at hand, dead or alive; nil if there never was one.
    package let token: PublishedToken?
    /// What a caller who needs a fresher one may expect.
    package let prospect: RefreshProspect
    /// Goes up with every change of this entry.
    package let version: UInt64

    /// Puts together what the board holds.
    package init(token: PublishedToken?, prospect: RefreshProspect, version: UInt64) {
        self.token = token
        self.prospect = prospect
        self.version = version
    }
}

/// What a caller of `GET token` asked for, in the contract's terms (product.md, GET token).
package struct TokenDemand: Hashable, Sendable {
    /// How long the token must live yet; nil where the caller left it to the daemon.
    package let minimumLife: Duration?
    /// The validator of the token that the caller has, and how long the caller would wait for another one.
    package let known: Known?

    /// What a conditional request carries.
    package struct Known: Hashable, Sendable {
        /// `If-None-Match`, quotes included; `*` matches any token.
        package let etag: String
        /// Whether the caller wants to wait for the next token (`Prefer: wait`, RFC 7240).
        package let waitsForNext: Bool

        /// Puts together what the headers say.
        package init(etag: String, waitsForNext: Bool) {
            self.etag = etag
            self.waitsForNext = waitsForNext
        }
    }

    /// Puts together what the query and the headers say.
    package init(minimumLife: Duration? = nil, known: Known? = nil) {
        self.minimumLife = minimumLife
        self.known = known
    }
}

/// What to do for one caller of `GET token`, now.
package enum HandOut: Sendable {
    /// Give the token; with a code, under `Tastytokend-Degraded`.
    case serve(PublishedToken, degraded: HandOutCode?)
    /// The caller has it already: 304.
    case notModified(PublishedToken)
    /// Look again when the entry changes or the caller's time is over; first start a refresh, if so said.
    case wait(startsRefresh: Bool)
    /// There is no live token; `retryAfter` is known while the account backs off.
    case unavailable(HandOutCode, retryAfter: Duration?)
}

/// Why a caller gets no token, or one that lives shorter than asked. The raw values are the contract's codes.
package enum HandOutCode: String, Sendable, CaseIterable {
    /// A refresh did not end in the time that the caller gave it.
    case refreshTimeout = "refresh_timeout"
    /// The account backs off.
    case tokenUnavailable = "token_unavailable"
    /// TastyTrade refused the grant.
    case reauthorizationRequired = "reauthorization_required"
    /// A reply was lost on a provider that rotates refresh tokens.
    case unknownOutcome = "unknown_outcome"
    /// The stored grant cannot be opened.
    case unreadableGrant = "unreadable_grant"
    /// The row has no refresh token.
    case noGrant = "no_grant"
}

extension HandOut {
    /// The table of the contract as a pure function (product.md, GET token).
    ///
    /// - Parameters:
    ///   - entry: the account as the board has it.
    ///   - demand: what the caller asked for.
    ///   - mayWait: whether any of the caller's `max_wait` is left.
    ///   - mayWaitForNext: whether any of the caller's `Prefer: wait` is left.
    ///   - now: the time by both clocks.
    /// - Returns: what to do now; `.wait` only where some time is left.
    package static func decide(
        _ entry: BoardEntry,
        _ demand: TokenDemand,
        mayWait: Bool,
        mayWaitForNext: Bool,
        now: Moment
    ) -> HandOut {
        guard let token = entry.token, token.life.isAlive(at: now) else {
            return withoutToken(entry.prospect, mayWait: mayWait, now: now)
        }
        if lives(token, demand.minimumLife, at: now) {
            return longEnough(token, demand, mayWaitForNext: mayWaitForNext)
        }
        switch entry.prospect {
        case .possible where mayWait: return .wait(startsRefresh: true)
        case .underWay where mayWait: return .wait(startsRefresh: false)
        default: return .serve(token, degraded: HandOutCode(entry.prospect))
        }
    }

    /// Whether the token lives as long as asked: as the caller said, or a minute; half a life is always enough, since no
    /// refresh could promise more for long.
    private static func lives(_ token: PublishedToken, _ asked: Duration?, at now: Moment) -> Bool {
        let remaining = token.life.remaining(at: now)
        return remaining >= asked ?? .seconds(60) || remaining >= token.life.lifetime / 2
    }

    private static func longEnough(_ token: PublishedToken, _ demand: TokenDemand, mayWaitForNext: Bool) -> HandOut {
        guard let known = demand.known, known.etag == token.etag || known.etag == "*" else {
            return .serve(token, degraded: nil)
        }
        // Waiting for the next token starts no refresh: the schedule makes it, in its time.
        return known.waitsForNext && mayWaitForNext ? .wait(startsRefresh: false) : .notModified(token)
    }

    private static func withoutToken(_ prospect: RefreshProspect, mayWait: Bool, now: Moment) -> HandOut {
        switch prospect {
        case .possible:
            mayWait ? .wait(startsRefresh: true) : .unavailable(.refreshTimeout, retryAfter: nil)
        case .underWay:
            mayWait ? .wait(startsRefresh: false) : .unavailable(.refreshTimeout, retryAfter: nil)
        case .backingOff(let until):
            .unavailable(.tokenUnavailable, retryAfter: max(until.remaining(at: now), .zero))
        case .refused, .unknownOutcome, .unreadable, .noGrant:
            .unavailable(HandOutCode(prospect), retryAfter: nil)
        }
    }
}

extension HandOutCode {
    /// Why an account of that prospect has no fresher token.
    package init(_ prospect: RefreshProspect) {
        switch prospect {
        case .possible, .underWay: self = .refreshTimeout
        case .backingOff: self = .tokenUnavailable
        case .refused: self = .reauthorizationRequired
        case .unknownOutcome: self = .unknownOutcome
        case .unreadable: self = .unreadableGrant
        case .noGrant: self = .noGrant
        }
    }
}
