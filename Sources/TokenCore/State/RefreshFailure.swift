// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why a refresh did not give a token. The kind decides what follows; the rest is for people.
///
/// Only what the endpoint said in so many words counts against a grant. A page of a gateway, a reset or a body that
/// cannot be read says nothing about the grant (fact sheet sections 4.3 and 13).
package struct RefreshFailure: Error, Hashable, Sendable {
    /// What went wrong, as far as it matters for what happens next. The raw value is fit for a metric's label.
    package enum Kind: String, Sendable, CaseIterable {
        /// `invalid_grant`: the endpoint names this grant as the fault.
        case grantRefused = "grant_refused"
        /// `invalid_client`, `unauthorized_client`: the fault is ours, and every account of the client shares it.
        case clientRefused = "client_refused"
        /// 429: we are too many.
        case throttled
        /// Another 4xx with a verdict that is not on the list of permanent ones.
        case requestRejected = "request_rejected"
        /// A 4xx without a verdict in JSON: a gateway, a firewall, or a refused `User-Agent` (401).
        case gateway
        /// 5xx, 408 or 425.
        case serverFault = "server_fault"
        /// 3xx: never followed, since it would post the secret elsewhere.
        case redirected
        /// A 2xx that cannot be used: no token, no JSON, too long.
        case malformed
        /// The name of the endpoint's host could not be resolved.
        case nameResolution = "name_resolution"
        /// No connection could be made, refused or not in time; the request was not sent.
        case connect
        /// TLS failed: certificate, handshake. The request was not sent.
        case tls
        /// The request was sent, and no whole reply came before the deadline.
        case timeout
        /// The request was sent, and the connection broke before a whole reply.
        case connectionLost = "connection_lost"
        /// The row could not be read, so nothing was sent.
        case storeUnavailable = "store_unavailable"
        /// The answer could not be written to its row.
        case storeRejected = "store_rejected"
        /// What must not be lost could not be written down on this host first, so nothing was sent.
        case journalUnavailable = "journal_unavailable"
        /// An earlier call with the account's refresh token has not ended yet, so no second one was sent.
        case callUnderWay = "call_under_way"
        /// The endpoint gave the token that was at hand already.
        case noProgress = "no_progress"
    }

    /// What went wrong.
    package let kind: Kind
    /// The status of the reply, where there was one.
    package let httpStatus: Int?
    /// The endpoint's own code (`error_code` or `error`), bounded and escaped; nil where it gave none.
    package let code: String?
    /// What happened, in words, bounded and escaped: safe to log and to show.
    package let text: String
    /// How long the endpoint asked to be left alone (`Retry-After`), already clamped.
    package let retryAfter: Duration?
    /// A new refresh token that could be read although the reply is no good otherwise; it must not be lost (hard case H9).
    package let newRefreshToken: Secret?

    /// Puts together what is known. `code` and `text` must be bounded and escaped by whoever read them from outside.
    package init(
        _ kind: Kind,
        httpStatus: Int? = nil,
        code: String? = nil,
        text: String,
        retryAfter: Duration? = nil,
        newRefreshToken: Secret? = nil
    ) {
        self.kind = kind
        self.httpStatus = httpStatus
        self.code = code
        self.text = text
        self.retryAfter = retryAfter
        self.newRefreshToken = newRefreshToken
    }

    /// The same failure, with a new refresh token if one was read.
    package func carrying(_ newRefreshToken: Secret?) -> RefreshFailure {
        RefreshFailure(
            kind,
            httpStatus: httpStatus,
            code: code,
            text: text,
            retryAfter: retryAfter,
            newRefreshToken: newRefreshToken
        )
    }

    /// Whether a request was made at all: else the failure tells nothing about endpoint and grant.
    package var wasSent: Bool {
        switch kind {
        case .storeUnavailable, .storeRejected, .journalUnavailable, .callUnderWay: false
        case .grantRefused, .clientRefused, .throttled, .requestRejected, .gateway, .serverFault, .redirected,
            .malformed,
            .nameResolution, .connect, .tls, .timeout, .connectionLost, .noProgress:
            true
        }
    }

    /// Whether the endpoint may have acted on the request although we have no usable reply: on a provider that rotates
    /// refresh tokens the outcome is then unknown (hard case H1).
    package var outcomeIsUnknown: Bool {
        guard newRefreshToken == nil else { return false }
        return switch kind {
        case .timeout, .connectionLost, .malformed: true
        // What a gateway says for want of an answer; a service that is busy, or away, did nothing.
        case .serverFault: [500, 502, 504].contains(httpStatus)
        case .gateway, .grantRefused, .clientRefused, .throttled, .requestRejected, .redirected, .nameResolution,
            .connect, .tls,
            .storeUnavailable, .storeRejected, .journalUnavailable, .callUnderWay, .noProgress:
            false
        }
    }
}

extension RefreshFailure: CustomStringConvertible {
    /// One line for logs and for `last_error`: the words, and the endpoint's code and status where there are any.
    package var description: String {
        var origin: [String] = []
        if let code { origin.append(code) }
        if let httpStatus { origin.append("HTTP \(httpStatus)") }
        return origin.isEmpty ? text : "\(text) (\(origin.joined(separator: ", ")))"
    }
}
