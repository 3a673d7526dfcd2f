// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers of `GET token`, row by row of the contract's table.
enum TokenReplies {
    /// A live token; with a code, one that lives shorter than asked.
    static func served(
        _ token: PublishedToken,
        of user: UserID,
        degraded: HandOutCode?,
        asText: Bool,
        now: Moment
    ) -> Reply {
        let degradation = degraded.map { [Reply.Field(HeaderName.degraded, $0.rawValue)] } ?? []
        guard asText else {
            let left = token.life.remaining(at: now).wholeSecondsDown
            return .token(token, of: user, secondsLeft: left, fields: degradation)
        }
        let type = Reply.Field("Content-Type", MediaType.text)
        return .bareToken(token, fields: [type, .noStore, etag(of: token)] + degradation)
    }

    /// The caller has it already.
    static func notModified(_ token: PublishedToken) -> Reply {
        .composed(status: 304, fields: [.noStore, etag(of: token)], body: [])
    }

    /// There is no live token.
    static func unavailable(_ code: HandOutCode, of user: UserID, retryAfter: Duration?) -> Reply {
        let problem = Problem(problemCode(for: code), detail: detail(code, user))
        return .problem(problem, fields: retryAfter.map { [.retryAfter($0)] } ?? [])
    }

    /// There is no such row; or there may be one, as long as not every account is loaded.
    static func unknown(_ user: UserID, isReady: Bool) -> Reply {
        isReady
            ? .problem(
                Problem(
                    .unknownUser,
                    detail: "No row of the user table has the id \(SafeText(user.text, toBytes: 80))."
                )
            )
            : loading
    }

    /// Not every account is loaded.
    static let loading = Reply.problem(
        Problem(.tokenUnavailable, detail: "The daemon is still loading its accounts."),
        fields: [.retryAfter(.seconds(1))]
    )

    /// The engine took too long to answer.
    static let overloaded = Reply.problem(
        Problem(.overloaded, detail: "The engine did not answer in time; ask again."),
        fields: [.retryAfter(.seconds(1))]
    )

    private static func etag(of token: PublishedToken) -> Reply.Field {
        Reply.Field("ETag", token.etag)
    }

    private static func problemCode(for code: HandOutCode) -> ProblemCode {
        switch code {
        case .refreshTimeout: .refreshTimeout
        case .tokenUnavailable: .tokenUnavailable
        case .reauthorizationRequired: .reauthorizationRequired
        case .unknownOutcome: .unknownOutcome
        case .unreadableGrant: .unreadableGrant
        case .noGrant: .noGrant
        }
    }

    private static func detail(_ code: HandOutCode, _ user: UserID) -> String {
        switch code {
        case .refreshTimeout:
            "The refresh for user \(user) did not end within max_wait; ask again."
        case .tokenUnavailable:
            "The last refresh for user \(user) failed; the daemon makes the next one by itself."
        case .reauthorizationRequired:
            "TastyTrade refused the grant of user \(user); the account must be connected again."
        case .unknownOutcome:
            "The reply to the last refresh for user \(user) was lost, and the grant may be spent; connect the account again."
        case .unreadableGrant:
            "The stored grant of user \(user) cannot be opened or is no token; mend the row or the keys."
        case .noGrant:
            "The row of user \(user) has no refresh token; connect the account."
        }
    }
}
