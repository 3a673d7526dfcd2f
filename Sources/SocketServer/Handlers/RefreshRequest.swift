// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI
import TokenCore

/// What a caller of `POST refresh` asked for, with every default filled in (product.md, Socket API).
struct RefreshRequest: Sendable {
    /// Whose token is to be replaced.
    let user: UserID
    /// How long the call may wait for the new one.
    let maximumWait: Duration
    /// The validators of which the token at hand must have one; nil if any token is to be replaced.
    let onlyIf: [String]?
    /// Whether the answer is the bare token.
    let wantsText: Bool

    /// Reads the query and the header fields.
    init(user: UserID, query: String, headers: HTTPHeaders) throws(Problem) {
        let maximumWait = try RequestFields.seconds(QueryName.maximumWait, inQuery: query)
        self.user = user
        self.maximumWait = min(maximumWait.map { .seconds($0) } ?? TokenRequest.defaultWait, TokenRequest.longestWait)
        self.onlyIf = RequestFields.strongValidators(headers)
        self.wantsText = RequestFields.prefersText(headers)
    }

    /// Whether this is the token that the caller wants replaced; nil where there is none alive.
    func means(_ token: PublishedToken?) -> Bool {
        guard let onlyIf else { return true }
        guard let token else { return false }
        return onlyIf.contains { $0 == "*" || $0 == token.etag }
    }
}
