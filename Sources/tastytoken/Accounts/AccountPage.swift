// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import SocketAPI

/// Accounts as the daemon told of them in one reply.
struct AccountPage {
    /// One account.
    struct Entry {
        /// How it stands.
        let status: StatusReply
        /// The same as the daemon wrote it.
        let json: RawJSON
    }

    /// Accounts in a page: few enough that a page stays far below what a reply may have.
    static let limit = 500

    /// The accounts, in the order of the reply.
    let entries: [Entry]
    /// After whom the next page begins; nil if this is the last.
    let next: String?

    /// Reads a page of the list of all accounts.
    init(list reply: HTTPReply) throws(Failure) {
        let list = try reply.decoded(List.self, of: nil)
        let texts = RawJSON(reply.body[...])[List.CodingKeys.users.rawValue]?.elements ?? []
        guard texts.count == list.users.count else { throw HTTPReply.garbled }
        self.entries = zip(list.users, texts).map(Entry.init)
        self.next = list.next
    }

    /// Reads the reply about one account, which is a page of its own.
    init(_ reply: HTTPReply, about user: String) throws(Failure) {
        let status = try reply.decoded(StatusReply.self, of: user)
        self.entries = [Entry(status: status, json: RawJSON(reply.body[...]))]
        self.next = nil
    }

    private struct List: Decodable {
        enum CodingKeys: String, CodingKey { case users, next }

        let users: [StatusReply]
        let next: String?
    }
}
