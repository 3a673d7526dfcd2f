// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Whom a fault strikes.
package enum FaultScope: Hashable, Sendable {
    /// Every account, and requests that belong to none.
    case all
    /// One account, by the subject of its grants.
    case account(String)
}

/// One way to misbehave, for as long as it lasts. Faults are values: a new way is a new case of ``Mode`` and the place that
/// carries it out.
package struct Fault: Hashable, Sendable {
    /// What happens.
    package var mode: Mode
    /// How many more requests it strikes; nil for any number.
    package var count: Int?
    /// How long it lasts from when it is set; nil until it is cleared.
    package var duration: Duration?
    /// The only kind of token request that it strikes; nil for all.
    package var grantType: TokenGrantType?

    /// What a fault does to a request.
    package enum Mode: Hashable, Sendable {
        /// The answer comes that much later; drawn anew for each request.
        case latency(ClosedRange<Duration>)
        /// The answer waits until held requests are released.
        case hold
        /// Access tokens live that long.
        case lifetime(Duration)
        /// An error page of a gateway or of the service itself.
        case errorPage(ErrorPage)
        /// A refusal by the token endpoint, with a status of 2xx too: an error in a success.
        case refusal(status: Int, code: String, description: String, shape: RefusalShape = .tastytrade)
        /// The gateway's 401 for a `User-Agent` that it does not like, whatever the request's is.
        case userAgentRefused(isEmpty: Bool)
        /// 429, with or without a time to come back.
        case rateLimited(RetryAfterHint)
        /// A redirect; nothing is done with the request.
        case redirect(status: Int, location: String)
        /// No answer, while the connection stays open.
        case hang(ResetPoint)
        /// The request is acted on, and the connection ended in good order after so many bytes of the reply.
        case lostReply(sentBytes: Int)
        /// The request is acted on, and the connection ended within the reply's body, after that share of it.
        case truncated(share: Double)
        /// The reply comes in pieces of so many bytes, a pause before each; then the connection ends.
        case drip(bytes: Int, every: Duration)
        /// `expires_in` is odd; the token lives as long as it would otherwise.
        case oddLifetime(OddLifetime)
        /// A token is made, and the 200 that should bring it is no good.
        case malformed(Malformation)
        /// A token is made, and comes in another of the forms that a client must take.
        case variant(ReplyVariant)
        /// A good reply, made so many bytes long.
        case huge(bytes: Int, HugePart)
        /// The same access token as before.
        case sameToken(Repetition)
        /// A refresh kills the account's earlier access tokens.
        case killsPrevious
        /// A refresh hands out a new refresh token.
        case rotation(Rotation)
        /// Another customer than was named signs in: the grant that a code brings is his.
        case otherCustomer(String)
        /// A code is taken for one whose time is over.
        case expiredCode
        /// A share of the requests meets with one of several faults, as in the sandbox.
        case flaky(Flakiness)
        /// The connection is reset (RST).
        case reset(ResetPoint)
        /// New connections are shown a certificate that is no good, whoever makes them.
        case certificate(OddCertificate)
        /// The whole service is away, for whoever asks.
        case outage(OutageStyle)
        /// These bytes instead of an HTTP reply, and then the end of the connection, or silence.
        case raw([UInt8], closes: Bool)
    }

    /// Puts together a fault.
    package init(_ mode: Mode, count: Int? = nil, duration: Duration? = nil, grantType: TokenGrantType? = nil) {
        self.mode = mode
        self.count = count
        self.duration = duration
        self.grantType = grantType
    }
}

/// What a token request asks for, by its `grant_type`.
package enum TokenGrantType: String, Hashable, Sendable, CaseIterable {
    /// A grant, for a code of the authorize page.
    case authorizationCode = "authorization_code"
    /// A new access token, for a refresh token.
    case refreshToken = "refresh_token"
}

/// When a connection is reset.
package enum ResetPoint: String, Hashable, Sendable, CaseIterable {
    /// Before the request is acted on.
    case before
    /// After it was acted on: the reply is lost.
    case after
}

/// How a service that is away shows itself.
package enum OutageStyle: String, Hashable, Sendable, CaseIterable {
    /// Connections are reset: new ones at once, old ones at their next request.
    case reset
    /// A gateway answers 503.
    case unavailable
}

/// An error that is no verdict on a grant.
package struct ErrorPage: Hashable, Sendable {
    /// What the body is.
    package enum Body: String, Hashable, Sendable, CaseIterable {
        /// A page as nginx writes it.
        case html
        /// The ordinary error envelope (fact sheet section 8).
        case json
        /// A page as a firewall in front of the service writes it.
        case waf
        /// Nothing.
        case empty
    }

    /// The HTTP status.
    package var status: Int
    /// What the body is.
    package var body: Body
    /// `Retry-After`, as it is sent.
    package var retryAfter: String?

    /// Puts together an error page.
    package init(_ status: Int, body: Body = .html, retryAfter: String? = nil) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
    }
}
