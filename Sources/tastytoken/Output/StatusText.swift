// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A status for people: a line a field, names in one column.
struct StatusText {
    /// The lines, without their ends.
    let lines: [String]

    /// Lays a status out.
    ///
    /// - Parameters:
    ///   - status: how the account stands.
    ///   - isColourful: whether the status has a colour.
    ///   - now: microseconds since 1970-01-01T00:00:00Z, for how far away times are; nil leaves that out.
    init(_ status: StatusReply, inColour isColourful: Bool, at now: Int64? = nil) {
        let state = Failure.shown(status.status)
        func time(_ time: String?) -> String? {
            guard let time else { return nil }
            return Failure.shown(time) + (now.map { " (\(Countdown.text(time, at: $0)))" } ?? "")
        }
        self.lines =
            FieldList([
                ("user", Failure.shown(status.user)),
                ("status", isColourful ? Style(status: state).applied(to: state) : state),
                ("environment", Failure.shown(status.environment)),
                ("client", Failure.shown(status.client)),
                ("expires at", time(status.expiresAt)),
                ("last refreshed at", time(status.lastRefreshedAt)),
                ("next refresh at", time(status.nextRefreshAt)),
                ("failures in a row", String(status.consecutiveFailures)),
                ("last error", status.lastError.map(Failure.shown)),
            ]).lines
    }
}

/// Names and values in two columns.
struct FieldList {
    /// The lines, without their ends.
    let lines: [String]

    /// Lays fields out; one without a value has a dash.
    init(_ fields: [(name: String, value: String?)]) {
        let width = fields.map(\.name.count).max() ?? 0
        self.lines = fields.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + (value ?? "-")
        }
    }
}
