// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why the accounts of an access token could not be listed. What it quotes is bounded and escaped, and it may be shown.
package enum AccountProbeFailure: Error, Hashable, Sendable {
    /// 401 with a verdict: the token is dead, or no access token of this API.
    case tokenNotAccepted
    /// 403 with a verdict: the token lacks the scope `read`.
    case notPermitted
    /// 429; how long to wait, where that was said.
    case throttled(retryAfter: Duration?)
    /// 5xx, 408 or 425.
    case serverFault(status: Int)
    /// A 4xx without a verdict in JSON: a gateway's, or for the sake of the `User-Agent`. It says nothing about the token.
    case gateway(status: Int)
    /// 3xx: never followed, since it would give the token to whoever is there.
    case redirected
    /// Another status.
    case unexpected(status: Int)
    /// A 2xx that is no list of accounts.
    case malformed
    /// Nothing was sent; why, in words.
    case notReached(String)
    /// The question was sent, and no whole answer came; how, in words.
    case noAnswer(String)
}

extension AccountProbeFailure: CustomStringConvertible {
    /// What happened, in words.
    package var description: String {
        switch self {
        case .tokenNotAccepted: "TastyTrade does not accept the access token (401)"
        case .notPermitted: "the access token may not list accounts (403): the grant lacks the scope read"
        case .throttled(let wait):
            "TastyTrade asks for fewer requests (429)"
                + (wait.map { ", and for \($0 / .seconds(1)) s of silence" } ?? "")
        case .serverFault(let status): "TastyTrade, or a gateway before it, is at fault (\(status))"
        case .gateway(let status):
            "a gateway refused the question, or the User-Agent (\(status)): the answer has no code in JSON"
        case .redirected: "the API redirects, and redirects are not followed; is tastytrade.apiUrl right?"
        case .unexpected(let status): "the API answered the question for accounts with \(status)"
        case .malformed: "the API's answer is no list of accounts"
        case .notReached(let why), .noAnswer(let why): why
        }
    }
}
