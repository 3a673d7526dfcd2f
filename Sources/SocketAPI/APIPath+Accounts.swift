// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension APIPath {
    /// `GET`: how the daemon does, over all accounts.
    package static let summary = "/v1/status"

    /// `GET`: how the accounts stand, in pages.
    ///
    /// - Parameters:
    ///   - after: what the page before gave as `next`; nil for the first page.
    ///   - client: the OAuth client that their grants are of; nil for any.
    ///   - limit: how many accounts a page holds, at most 1000.
    /// - Returns: the path and query.
    package static func list(after: String? = nil, ofClient client: String? = nil, limit: Int) -> String {
        let start = after.map { "&\(QueryName.after)=\(PercentCoding.encode($0))" } ?? ""
        let client = client.map { "&\(QueryName.client)=\(PercentCoding.encode($0))" } ?? ""
        return "\(allUsers)?\(QueryName.limit)=\(limit)\(client)\(start)"
    }

    /// `GET`: why the user's account stands as it does.
    package static func explanation(of user: String) -> String {
        status(of: user) + "/explain"
    }

    /// `POST`: what is wrong with the user's account, and what mends it.
    ///
    /// - Parameter user: whose.
    /// - Returns: the path.
    package static func diagnosis(of user: String) -> String {
        status(of: user) + "/diagnose"
    }

    /// `GET`: the accounts of one status, the first few.
    ///
    /// - Parameters:
    ///   - status: which.
    ///   - limit: how many.
    /// - Returns: the path and query.
    package static func list(ofStatus status: String, limit: Int) -> String {
        "\(allUsers)?\(QueryName.status)=\(status)&\(QueryName.limit)=\(limit)"
    }

    /// `POST`: a new token for the user. Seconds that are nil are left to the daemon.
    package static func refresh(of user: String, maximumWait: Int? = nil) -> String {
        let wait = maximumWait.map { "?\(QueryName.maximumWait)=\($0)" } ?? ""
        return status(of: user) + "/refresh" + wait
    }
}

extension QueryName {
    /// Where a page begins: what the page before it gave as `next`.
    package static let after = "after"
    /// The OAuth client that grants are of.
    package static let client = "client"
    /// How many accounts a page holds.
    package static let limit = "limit"
}
