// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// What a caller of `GET /v1/users` asked for, with every default filled in (product.md, Socket API).
extension ReportQuery {
    private static let usualLimit: Int64 = 100
    private static let largestLimit: Int64 = 1000

    /// Reads a request's query; `users` are those whom the caller may see, nil for all.
    init(query: String, users: Set<UserID>?) throws(Problem) {
        let limit = try RequestFields.seconds(QueryName.limit, inQuery: query) ?? Self.usualLimit
        guard limit > 0 else { throw Problem(.badRequest, detail: "limit must be from 1 to \(Self.largestLimit).") }
        // More than nine digits say only: far beyond the end.
        let start = try RequestFields.seconds(QueryName.after, inQuery: query) ?? 0
        self.init(
            start: Int(start),
            limit: Int(min(limit, Self.largestLimit)),
            statuses: try Self.statuses(inQuery: query),
            client: try RequestFields.text(QueryName.client, inQuery: query),
            users: users?.sorted { $0.text < $1.text }
        )
    }

    /// Rows without a grant are listed only on request.
    private static func statuses(inQuery query: String) throws(Problem) -> Set<GrantStatus> {
        guard let text = try RequestFields.text(QueryName.status, inQuery: query) else {
            return Set(GrantStatus.allCases).subtracting([.noGrant])
        }
        var statuses: Set<GrantStatus> = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let status = GrantStatus(rawValue: String(name)) else {
                let names = GrantStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.badRequest, detail: "status must be one or several, separated by commas, of: \(names).")
            }
            statuses.insert(status)
        }
        return statuses
    }
}
