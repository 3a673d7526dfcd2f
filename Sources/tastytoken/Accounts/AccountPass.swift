// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Whose accounts are looked at.
enum AccountScope: Equatable {
    /// Everybody's whom the caller may ask about.
    case all
    /// Those of them that have grants of the OAuth client of that name.
    case ofClient(String)
    /// One user's.
    case one(String)
}

/// One reading of the accounts in scope, page by page: knows what to ask next, and when it has all.
struct AccountPass {
    private let scope: AccountScope
    private var asksForSummary: Bool
    private var after: String?
    /// What the daemon says of itself; nil if it was not asked, or did not tell.
    private(set) var summary: DaemonSummary?
    /// Whether the daemon would not tell this caller the next time either.
    private(set) var isSummaryRefused = false
    /// Whether every page was read.
    private(set) var isOver = false

    /// Nothing is read yet.
    ///
    /// - Parameters:
    ///   - scope: whose accounts are read.
    ///   - asksForSummary: whether the daemon is asked about itself too, where everybody's accounts are.
    init(_ scope: AccountScope, withSummary asksForSummary: Bool = false) {
        self.scope = scope
        self.asksForSummary = asksForSummary && scope == .all
    }

    /// What to ask next.
    var request: SocketRequest {
        switch scope {
        case .all where asksForSummary: SocketRequest(target: APIPath.summary)
        case .all: SocketRequest(target: APIPath.list(after: after, limit: AccountPage.limit))
        case .ofClient(let name):
            SocketRequest(target: APIPath.list(after: after, ofClient: name, limit: AccountPage.limit))
        case .one(let user): SocketRequest(target: APIPath.status(of: user))
        }
    }

    /// Takes the answer to ``request``; gives the accounts in it.
    mutating func take(_ reply: HTTPReply) throws(Failure) -> [AccountPage.Entry] {
        guard !asksForSummary else {
            // Whoever may ask about some users only has the accounts without it.
            asksForSummary = false
            summary = reply.status == 200 ? DaemonSummary(RawJSON(reply.body[...])) : nil
            isSummaryRefused = reply.status == 403 || reply.status == 404
            return []
        }
        let page = try page(in: reply)
        // A list that begins again would never end.
        guard page.next == nil || page.next != after else { throw HTTPReply.garbled }
        after = page.next
        isOver = page.next == nil
        return page.entries
    }

    private func page(in reply: HTTPReply) throws(Failure) -> AccountPage {
        switch scope {
        case .one(let user): try AccountPage(reply, about: user)
        case .all, .ofClient: try AccountPage(list: reply)
        }
    }
}
