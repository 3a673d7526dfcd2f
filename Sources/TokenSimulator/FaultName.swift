// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// The modes' names in JSON. docs/simulator.md describes each.
package enum FaultName: String, Codable, Hashable, Sendable, CaseIterable {
    case latency
    case hold
    case hang
    case drip
    case lifetime
    case oddLifetime = "odd_lifetime"
    case errorPage = "error_page"
    case refusal
    case userAgentRefused = "user_agent_refused"
    case rateLimited = "rate_limited"
    case redirect
    case reset
    case lostReply = "lost_reply"
    case truncated
    case malformed
    case huge
    case variant
    case sameToken = "same_token"
    case killsPrevious = "kills_previous"
    case rotation
    case otherCustomer = "other_customer"
    case expiredCode = "expired_code"
    case flaky
    case certificate
    case outage
    case raw

    /// What it does, in a few words for `--help`.
    package var summary: String {
        switch self {
        case .latency: "answers come later"
        case .hold: "answers wait until they are released"
        case .hang: "no answer, and the connection stays open"
        case .drip: "answers come a few bytes at a time"
        case .lifetime: "access tokens live that long"
        case .oddLifetime: "expires_in is missing, negative, a text, huge, …"
        case .errorPage: "a page or an empty body with any status"
        case .refusal: "an OAuth or API error, in a 200 too"
        case .userAgentRefused: "401 as for a bad User-Agent"
        case .rateLimited: "429, with or without Retry-After"
        case .redirect: "a redirect"
        case .reset: "the connection is reset before or after the work"
        case .lostReply: "the work is done and the reply lost"
        case .truncated: "the reply breaks off within its body"
        case .malformed: "a 200 that is no good: broken JSON, no token, gzip, …"
        case .huge: "a very long reply"
        case .variant: "a good reply in another form"
        case .sameToken: "the same access token again"
        case .killsPrevious: "a refresh kills earlier access tokens"
        case .rotation: "a refresh brings a new refresh token"
        case .otherCustomer: "a code brings another customer's grant"
        case .expiredCode: "a code's time is over"
        case .flaky: "a share of the requests fails"
        case .certificate: "a TLS certificate that is no good"
        case .outage: "the whole service is away"
        case .raw: "any bytes"
        }
    }
}

/// Reads faults as the command line has them.
package enum FaultText {
    /// A fault and whom it strikes, from JSON as the control route takes it or from a mode's bare name.
    package static func read(_ text: String) throws(SimulatorFailure) -> (scope: FaultScope, fault: Fault) {
        let order = try order(text)
        return (order.scope, try order.fault())
    }

    private static func order(_ text: String) throws(SimulatorFailure) -> FaultOrder {
        if let mode = FaultName(rawValue: text) { return FaultOrder(mode: mode) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(FaultOrder.self, from: Data(text.utf8))
        } catch {
            throw SimulatorFailure("'\(text.prefix(200))' is no mode, and no fault in JSON")
        }
    }
}
