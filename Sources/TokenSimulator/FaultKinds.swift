// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How a refusal's body is laid out; sources disagree on the names (fact sheet section 4.3).
package enum RefusalShape: String, Hashable, Sendable, CaseIterable {
    /// `error_code` and `error_description`, as every recorded body has them.
    case tastytrade
    /// `error` and `error_description` (RFC 6749 section 5.2).
    case rfc6749
    /// The ordinary API's `error` object with `code` and `message` (fact sheet section 8).
    case envelope
    /// The same with `errors`, each with `domain` and `reason`.
    case envelopeErrors = "envelope_errors"
    /// The same with a number for its code: the status.
    case numeric
    /// `error_description` alone.
    case description
    /// `message` alone.
    case message
}

/// What a 429 says of when to come back.
package enum RetryAfterHint: Hashable, Sendable {
    /// Nothing.
    case none
    /// So many seconds.
    case seconds(Int)
    /// The date that is so much later than the request (RFC 9110 section 5.6.7); it may lie in the past.
    case date(after: Duration)
    /// This text, which may be absurd.
    case text(String)
}

/// What is odd about a reply's `expires_in`.
package enum OddLifetime: String, Hashable, Sendable, CaseIterable {
    /// It is not there.
    case missing
    /// It is null.
    case null
    /// It is -900.
    case negative
    /// It is 0.
    case zero
    /// It is 1.
    case oneSecond = "one_second"
    /// It is 900 in quotes.
    case string
    /// It is a word.
    case word
    /// It is 900.5.
    case fraction
    /// It is a number in exponential notation.
    case exponent
    /// It is the largest 64-bit number.
    case huge
    /// It is a number that no integer type holds.
    case overflow
    /// It is true.
    case boolean
    /// It is a list.
    case list

    /// The value as JSON; nil where it is missing.
    var json: String? {
        switch self {
        case .missing: nil
        case .null: "null"
        case .negative: "-900"
        case .zero: "0"
        case .oneSecond: "1"
        case .string: #""900""#
        case .word: #""soon""#
        case .fraction: "900.5"
        case .exponent: "9e2"
        case .huge: "9223372036854775807"
        case .overflow: "1e400"
        case .boolean: "true"
        case .list: "[900]"
        }
    }
}

/// Where a huge reply is huge.
package enum HugePart: String, Hashable, Sendable, CaseIterable {
    /// A body of announced length.
    case body
    /// A body in chunks, its length not announced.
    case chunked
    /// A header field.
    case header
}

/// How the same access token comes again. It begins with the first token that is made while the fault is set.
package enum Repetition: String, Hashable, Sendable, CaseIterable {
    /// With the life that is left, until it is dead; then a new one begins.
    case remaining
    /// With the same `expires_in` each time and without end, as out of a cache.
    case cached
}

/// When a refresh token that was exchanged for a new one stops being good.
package enum Rotation: Hashable, Sendable {
    /// At once: to present it again kills the grant.
    case strict
    /// After a while; from then on to present it kills the grant.
    case grace(Duration)
    /// Never.
    case silent
}

/// Why a server's certificate is no good.
package enum OddCertificate: String, Hashable, Sendable, CaseIterable {
    /// It was good until an hour before the simulator began.
    case expired
    /// It will be good an hour after the simulator began.
    case notYetValid = "not_yet_valid"
    /// It is for another host.
    case otherName = "other_name"
    /// Nobody trusts whoever signed it.
    case unknownAuthority = "unknown_authority"
}

/// Chance faults.
package struct Flakiness: Hashable, Sendable {
    /// How large a share of the requests is struck, from 0 to 1.
    package var share: Double
    /// What strikes them, each as likely as the others.
    package var kinds: [Kind]

    /// One thing that may happen.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The sandbox's own refusal of a healthy grant (fact sheet section 4.3).
        case refusal
        /// 502 with a page.
        case gateway
        /// 503 with a page.
        case unavailable
        /// No answer.
        case hang
        /// A reset before the request is acted on.
        case reset
        /// The request is acted on, and its reply lost.
        case lostReply = "lost_reply"

        /// The fault that it is.
        var mode: Fault.Mode {
            switch self {
            case .refusal: .refusal(status: 400, code: "invalid_request", description: RefusalText.notACustomer)
            case .gateway: .errorPage(ErrorPage(502))
            case .unavailable: .errorPage(ErrorPage(503))
            case .hang: .hang(.before)
            case .reset: .reset(.before)
            case .lostReply: .lostReply(sentBytes: 0)
            }
        }
    }

    /// Takes the share, and what the sandbox was seen to do.
    package init(share: Double, kinds: [Kind] = [.refusal, .gateway, .reset]) {
        self.share = share
        self.kinds = kinds
    }
}

/// What the endpoint says with each error code, and at which status (fact sheet section 4.3; RFC 6749 section 5.2).
enum RefusalText {
    /// The sandbox's refusal of a healthy grant.
    static let notACustomer = "User is not a TastyTrade customer"

    private static let known: [String: (status: Int, description: String)] = [
        "invalid_grant": (400, "Grant revoked"),
        "invalid_request": (400, notACustomer),
        "invalid_client": (401, "Client secret mismatch"),
        "unauthorized_client": (400, "Client is not allowed to use this grant type"),
        "unsupported_grant_type": (400, "Unsupported grant type"),
        "invalid_scope": (400, "Scope exceeds the grant"),
        "access_denied": (403, "Access denied"),
        "server_error": (500, "Internal error"),
        "temporarily_unavailable": (503, "Temporarily unavailable"),
    ]

    /// The codes that have a status and a description of their own.
    static var codes: [String] { known.keys.sorted() }

    /// The usual status of a code.
    static func status(of code: String) -> Int { known[code]?.status ?? 400 }

    /// The usual words of a code.
    static func description(of code: String) -> String { known[code]?.description ?? "Refused" }
}
