// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A status for people: a line a field, names in one column.
struct StatusText {
    /// The lines, without their ends.
    let lines: [String]

    /// Lays a status out.
    init(_ status: StatusReply, inColour isColourful: Bool) {
        let state = isColourful ? Self.coloured(status.status) : Failure.shown(status.status)
        let fields: [(String, String?)] = [
            ("user", Failure.shown(status.user)),
            ("status", state),
            ("environment", Failure.shown(status.environment)),
            ("client", Failure.shown(status.client)),
            ("expires at", status.expiresAt.map(Failure.shown)),
            ("last refreshed at", status.lastRefreshedAt.map(Failure.shown)),
            ("next refresh at", status.nextRefreshAt.map(Failure.shown)),
            ("failures in a row", String(status.consecutiveFailures)),
            ("last error", status.lastError.map(Failure.shown)),
        ]
        let width = fields.map(\.0.count).max() ?? 0
        self.lines = fields.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + (value ?? "-")
        }
    }

    private static func coloured(_ status: String) -> String {
        let colour =
            switch status {
            case "active", "refreshing": "32"
            case "degraded": "33"
            default: "31"
            }
        return "\u{1B}[\(colour)m\(Failure.shown(status))\u{1B}[0m"
    }
}
