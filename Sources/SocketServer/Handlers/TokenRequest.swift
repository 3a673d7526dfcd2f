// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI
import TokenCore

/// What a caller of `GET token` asked for, with every default filled in (product.md, GET token).
struct TokenRequest {
    /// Whose token.
    let user: UserID
    /// How long it must live yet; nil leaves it to the policy.
    let minimumLife: Duration?
    /// How long the call may wait for a token that lives long enough.
    let maximumWait: Duration
    /// The validators that the caller has.
    let validators: [String]
    /// How long the call may wait for another token than those.
    let waitForNext: Duration
    /// Whether the answer is the bare token.
    let wantsText: Bool

    /// How long any call waits unless it says otherwise.
    static let defaultWait: Duration = .seconds(10)
    /// How long any call waits at most.
    static let longestWait: Duration = .seconds(60)

    /// Reads the query and the header fields.
    init(user: UserID, query: String, headers: HTTPHeaders) throws(Problem) {
        let minimumLife = try RequestFields.seconds(QueryName.minimumLife, inQuery: query)
        let maximumWait = try RequestFields.seconds(QueryName.maximumWait, inQuery: query)
        self.user = user
        self.minimumLife = minimumLife.map { .seconds($0) }
        self.maximumWait = min(maximumWait.map { .seconds($0) } ?? Self.defaultWait, Self.longestWait)
        self.validators = RequestFields.validators(headers)
        self.waitForNext = min(.seconds(RequestFields.preferredWait(headers) ?? 0), Self.longestWait)
        self.wantsText = RequestFields.prefersText(headers)
    }

    /// The same in the policy's terms, for the token at hand: of several validators the one that matches counts.
    func demand(for token: PublishedToken?) -> TokenDemand {
        let validator = validators.first { $0 == "*" || $0 == token?.etag } ?? validators.first
        let known = validator.map { TokenDemand.Known(etag: $0, waitsForNext: waitForNext > .zero) }
        return TokenDemand(minimumLife: minimumLife, known: known)
    }
}
