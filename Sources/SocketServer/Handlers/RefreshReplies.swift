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

    /// No refresh may be begun for a caller yet.
    static func tooSoon(_ wait: Duration, _ limit: OrderLimit, of user: UserID) -> Reply {
        .problem(Problem(.tooManyRefreshes, detail: detail(limit, user)), fields: [.retryAfter(wait)])
    }

    private static func detail(_ limit: OrderLimit, _ user: UserID) -> String {
        switch limit {
        case .justRefreshed:
            "User \(user) got a new token only a moment ago."
        case .stillStoring:
            "The new token of user \(user) is still being stored in the database."
        case .budgetSpent:
            "User \(user) has spent the day's budget of refreshes (refresh.dailyBudgetPerUser); now a token is replaced "
                + "only when it is about to die."
        }
    }
}
