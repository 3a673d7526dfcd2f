// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What became of a request, as it is counted.
package enum RequestOutcome: String, Codable, Hashable, Sendable, CaseIterable {
    /// An access token was given.
    case issued
    /// The accounts were listed.
    case listed
    /// The authorize page was shown.
    case authorizePage = "authorize_page"
    /// The authorize page could not be shown, or its form not be taken.
    case authorizeRefused = "authorize_refused"
    /// Somebody authorised a client, and was sent back with a code.
    case codeIssued = "code_issued"
    /// Somebody declined, and was sent back with an error.
    case authorizeDenied = "authorize_denied"
    /// 401 with a page: the `User-Agent` is missing or odd.
    case userAgentRefused = "user_agent_refused"
    /// 401 for a call with no live access token.
    case unauthorized
    /// 403 for an access token whose scope does not allow the call.
    case forbidden
    /// The token endpoint could not read the request, or misses something in it.
    case invalidRequest = "invalid_request"
    /// The client's secret or id is wrong.
    case invalidClient = "invalid_client"
    /// The refresh token is none of ours, or its grant is revoked; or the code cannot be exchanged.
    case invalidGrant = "invalid_grant"
    /// A code was presented that had been exchanged.
    case codeReused = "code_reused"
    /// The grant type is neither `refresh_token` nor `authorization_code`.
    case unsupportedGrantType = "unsupported_grant_type"
    /// 404.
    case notFound = "not_found"
    /// 405.
    case methodNotAllowed = "method_not_allowed"
    /// 413.
    case tooLarge = "too_large"
    /// A fault: an error page.
    case errorPage = "error_page"
    /// A fault: a refusal that the request did not earn.
    case refusalFault = "refusal_fault"
    /// A fault: the connection was reset before the request was acted on.
    case resetBefore = "reset_before"
    /// A fault: a token was made, and the connection reset before the reply.
    case resetAfter = "reset_after"
    /// A fault: the service was away.
    case outage
    /// A fault: bytes of the test's own.
    case raw
    /// A fault: a redirect.
    case redirected
    /// A fault: 429.
    case rateLimited = "rate_limited"
    /// A fault: no answer, and nothing was done.
    case hung
    /// A fault: a token was made, and the client did not get all of the reply.
    case lostReply = "lost_reply"
    /// A fault: a token was made, and the reply is no good.
    case malformed

    /// Whether an access token was made, whether or not the reply arrived.
    package var madeToken: Bool {
        switch self {
        case .issued, .resetAfter, .lostReply, .malformed: true
        default: false
        }
    }
}

/// One request as it is shown; never with a secret in it.
package struct RequestRecord: Hashable, Sendable {
    /// When it was whole.
    package let receivedAt: SimulatorInstant
    /// The method's name.
    package let method: String
    /// The path without the query.
    package let path: String
    /// The account it belongs to, if its grant is one of ours.
    package let account: String?
    /// What became of it.
    package let outcome: RequestOutcome
    /// The header fields, in order; the value of `Authorization` and of cookies is left out.
    package let headers: [Header]
    /// The names of the body's fields, sorted.
    package let fields: [String]
    /// The id (`jti`) of the access token that the reply brings, or would bring if it arrived; nil if it brings none.
    package var tokenID: String?
    /// Whether the refresh token had been exchanged for a new one before.
    package var isReuse = false
    /// Whether that killed the grant.
    package var killsGrant = false

    /// A header field.
    package struct Header: Hashable, Sendable, Codable {
        /// The field's name as it was sent.
        package let name: String
        /// The field's value.
        package let value: String
    }
}
