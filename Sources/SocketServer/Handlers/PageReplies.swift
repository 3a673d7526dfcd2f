// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers of the routes that lead to the web pages (product.md, Socket API).
enum PageReplies {
    /// `POST console-links`.
    ///
    /// - Parameter pages: the web pages; nil where there are none.
    /// - Returns: a link, or why there is none.
    static func consoleLink(_ pages: (any PageLinking)?) -> Reply {
        guard let pages else { return none }
        if let outage = pages.outage { return .problem(Problem(.tokenUnavailable, detail: outage)) }
        return json(pages.makeConsoleLink())
    }

    /// `POST authorization-links`.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected.
    ///   - client: the name of the OAuth client that is to ask; nil for the account's own.
    ///   - pages: the web pages; nil where there are none.
    /// - Returns: a link, or why there is none.
    static func authorizationLink(_ user: UserID, _ client: String?, _ pages: (any PageLinking)?) async -> Reply {
        guard let pages else { return none }
        if let outage = pages.outage { return .problem(Problem(.tokenUnavailable, detail: outage)) }
        return await EnrollmentReplies.reply { () async throws(EnrollmentFailure) in
            json(try await pages.makeAuthorizationLink(for: user, with: client))
        }
    }

    /// The daemon serves no pages. A link would lead nowhere.
    static let none = Reply.problem(
        Problem(
            .tokenUnavailable,
            detail: "This daemon serves no web pages: set web.enabled to true in its configuration, and restart it."
        )
    )

    private static func json(_ link: PageLink) -> Reply {
        var text = JSONText()
        text.add(LinkReply.CodingKeys.link.rawValue, link.url.reveal())
        text.add(LinkReply.CodingKeys.expiresAt.rawValue, Timestamp.text(microseconds: link.expiresAt.microseconds))
        text.close()
        return .json(text.bytes)
    }
}
