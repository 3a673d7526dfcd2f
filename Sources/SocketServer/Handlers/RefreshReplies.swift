// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers that only `POST refresh` has.
enum RefreshReplies {
    /// The caller named another token than the one at hand, whose validator is sent along.
    static func stale(_ token: PublishedToken?, of user: UserID) -> Reply {
        let rest = token == nil ? "there is none alive now" : "it has been replaced since"
        let detail =
            "The token that If-Match names is not the current one of user \(user): \(rest). Ask for the token again."
        let fields = token.map { [Reply.Field("ETag", $0.etag)] } ?? []
        return .problem(Problem(.staleToken, detail: detail), fields: fields)
    }

    /// The last refresh is too short a time ago.
    static func tooSoon(_ wait: Duration, of user: UserID) -> Reply {
        let detail =
            "User \(user) was refreshed a moment ago, or has spent the day's budget; ask again after Retry-After."
        return .problem(Problem(.tooManyRefreshes, detail: detail), fields: [.retryAfter(wait)])
    }
}
