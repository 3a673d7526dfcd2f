// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why a request was not answered as asked (RFC 9457), with the contract's stable code.
package struct Problem: Error, Hashable, Sendable, Decodable {
    /// The contract's code.
    package let code: String
    /// The code in words; the same for every occurrence.
    package let title: String
    /// The HTTP status that it is sent with.
    package let status: Int
    /// What happened here, to what, and what to do.
    package let detail: String

    /// An occurrence of a code of ours. `status` is given only for ``ProblemCode/requestTooLarge``, which has two.
    package init(_ code: ProblemCode, status: Int? = nil, detail: String) {
        self.code = code.rawValue
        self.title = code.title
        self.status = status ?? code.status
        self.detail = detail
    }

    /// The reply's body.
    package var json: [UInt8] {
        var text = JSONText()
        text.add("type", "about:blank")
        text.add("code", code)
        text.add("title", title)
        text.add("status", status)
        text.add("detail", detail)
        text.close()
        return text.bytes
    }
}

/// The contract's codes (product.md, the tables of codes).
package enum ProblemCode: String, Sendable, CaseIterable {
    /// The request breaks HTTP or the API.
    case badRequest = "bad_request"
    /// The caller may not ask this.
    case forbidden
    /// No row has this id.
    case unknownUser = "unknown_user"
    /// No route has this path.
    case notFound = "not_found"
    /// The route has other methods; `Allow` names them.
    case methodNotAllowed = "method_not_allowed"
    /// `If-Match` named a token that is not the current one.
    case staleToken = "stale_token"
    /// An authorization that is unknown, spent or too old.
    case invalidState = "invalid_state"
    /// A grant given by hand was refused.
    case grantRefused = "grant_refused"
    /// A secret cannot be stored without a key.
    case noSealingKey = "no_sealing_key"
    /// A body or a header section beyond the limit.
    case requestTooLarge = "request_too_large"
    /// A user's refreshes were asked for too often.
    case tooManyRefreshes = "too_many_refreshes"
    /// A limit of the daemon is reached.
    case overloaded
    /// The caller's time ended before the refresh.
    case refreshTimeout = "refresh_timeout"
    /// The account backs off, or is not loaded yet.
    case tokenUnavailable = "token_unavailable"
    /// TastyTrade refused the grant for good.
    case reauthorizationRequired = "reauthorization_required"
    /// A reply was lost on a provider that rotates refresh tokens.
    case unknownOutcome = "unknown_outcome"
    /// What is stored cannot be opened.
    case unreadableGrant = "unreadable_grant"
    /// The row has no refresh token.
    case noGrant = "no_grant"

    /// The HTTP status of the code. ``requestTooLarge`` is 413 for a body and 431 for a header section.
    package var status: Int {
        switch self {
        case .badRequest: 400
        case .forbidden: 403
        case .unknownUser, .notFound: 404
        case .methodNotAllowed: 405
        case .noSealingKey, .reauthorizationRequired, .unknownOutcome, .unreadableGrant, .noGrant: 409
        case .invalidState: 410
        case .staleToken: 412
        case .requestTooLarge: 413
        case .grantRefused: 422
        case .tooManyRefreshes: 429
        case .overloaded, .tokenUnavailable: 503
        case .refreshTimeout: 504
        }
    }

    /// The code in words.
    package var title: String {
        switch self {
        case .badRequest: "The request cannot be understood"
        case .forbidden: "The caller has no right to this"
        case .unknownUser: "There is no such user"
        case .notFound: "There is nothing at this path"
        case .methodNotAllowed: "The path does not take this method"
        case .staleToken: "The token is no longer the current one"
        case .invalidState: "The authorization is unknown, spent or too old"
        case .grantRefused: "TastyTrade refused the grant"
        case .noSealingKey: "There is no key to seal a secret with"
        case .requestTooLarge: "The request is too large"
        case .tooManyRefreshes: "Too many refreshes were asked for"
        case .overloaded: "The daemon cannot take this on now"
        case .refreshTimeout: "The refresh did not end in time"
        case .tokenUnavailable: "There is no live token now"
        case .reauthorizationRequired: "The account must be connected again"
        case .unknownOutcome: "The outcome of the last refresh is unknown"
        case .unreadableGrant: "The stored grant cannot be read"
        case .noGrant: "The user has no grant"
        }
    }
}
