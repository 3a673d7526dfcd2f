// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Which accounts a caller wants to see, page by page (product.md, `GET /v1/users`).
package struct ReportQuery: Hashable, Sendable {
    /// Where the page begins: zero, or what the page before it gave.
    package var start: Int
    /// How many accounts it may hold.
    package var limit: Int
    /// Only accounts of these statuses.
    package let statuses: Set<GrantStatus>
    /// Only accounts with grants of the OAuth client of this name; nil for all.
    package let client: String?
    /// Only these users, in this order; nil for all there are.
    package let users: [UserID]?

    /// Puts a query together.
    package init(start: Int, limit: Int, statuses: Set<GrantStatus>, client: String? = nil, users: [UserID]?) {
        self.client = client
        self.start = start
        self.limit = limit
        self.statuses = statuses
        self.users = users
    }
}

/// Some of the accounts that were asked for.
package struct ReportPage: Hashable, Sendable {
    /// The accounts; fewer than asked for, or none, say nothing about the rest.
    package let reports: [GrantReport]
    /// Where the next page begins; nil after the last.
    package let next: Int?

    /// Puts a page together.
    package init(reports: [GrantReport], next: Int?) {
        self.reports = reports
        self.next = next
    }
}
