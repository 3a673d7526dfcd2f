// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Accounts in a table: a row each, columns two spaces apart, the one that may be long at the end.
struct AccountTable {
    /// How times are written.
    enum Times: Equatable {
        /// As the API has them, without fractions of a second: the same in every run.
        case absolute
        /// How far they are from a time, in microseconds since 1970-01-01T00:00:00Z.
        case relative(to: Int64)
    }

    private struct Column {
        let title: String
        let isEssential: Bool
        let cell: (StatusReply, Times) -> String
    }

    /// How times are written.
    var times: Times
    private let isColourful: Bool
    private let room: Int
    private let columns: [Column]
    private var widths: [Int]

    /// The least room for all columns; with less, those are left out without which one still knows what to do.
    static let wide = 120

    /// An empty table.
    ///
    /// - Parameters:
    ///   - times: how times are written.
    ///   - isColourful: whether a status has a colour.
    ///   - room: characters that a line may have; nil where there is no end to it.
    init(_ times: Times, inColour isColourful: Bool, room: Int? = nil) {
        self.times = times
        self.isColourful = isColourful
        self.room = room ?? .max
        self.columns = Self.all.filter { $0.isEssential || (room ?? .max) >= Self.wide }
        self.widths = columns.map(\.title.count)
    }

    /// The titles, at the widths so far.
    var heading: String { line(columns.map(\.title), style: nil) }

    /// Makes columns wide enough for these accounts. They never become narrower.
    mutating func widen(for accounts: some Sequence<StatusReply>) {
        for account in accounts {
            for (index, column) in columns.enumerated() {
                widths[index] = max(widths[index], column.cell(account, times).count)
            }
        }
    }

    /// The row of an account, at the widths so far.
    func row(_ account: StatusReply) -> String {
        line(columns.map { $0.cell(account, times) }, style: isColourful ? Style(status: account.status) : nil)
    }

    private func line(_ cells: [String], style: Style?) -> String {
        var text = ""
        var left = room
        for (index, cell) in cells.enumerated() {
            let shown = String(cell.prefix(left))
            text += index == Self.statusColumn ? style?.applied(to: shown) ?? shown : shown
            left -= shown.count
            guard index < cells.count - 1 else { break }
            let gap = min(max(widths[index] - shown.count, 0) + 2, left)
            text += String(repeating: " ", count: gap)
            left -= gap
        }
        return text
    }
}

extension AccountTable {
    private static let statusColumn = 1

    private static var all: [Column] {
        [
            Column(title: "USER", isEssential: true) { account, _ in Failure.shown(account.user) },
            Column(title: "STATUS", isEssential: true) { account, _ in Failure.shown(account.status) },
            Column(title: "EXPIRES", isEssential: true) { time($0.expiresAt, $1) },
            Column(title: "REFRESHED", isEssential: false) { time($0.lastRefreshedAt, $1) },
            Column(title: "NEXT REFRESH", isEssential: true) { time($0.nextRefreshAt, $1) },
            Column(title: "FAILURES", isEssential: true) { account, _ in String(account.consecutiveFailures) },
            Column(title: "ENVIRONMENT", isEssential: false) { account, _ in Failure.shown(account.environment) },
            Column(title: "CLIENT", isEssential: false) { account, _ in Failure.shown(account.client) },
            Column(title: "LAST ERROR", isEssential: true) { account, _ in
                account.lastError.map(Failure.shown) ?? "-"
            },
        ]
    }

    private static func time(_ time: String?, _ times: Times) -> String {
        switch times {
        case .relative(let now): return Countdown.text(time, at: now)
        case .absolute:
            guard let time else { return "-" }
            // Fractions have as many digits as they need, and would make the column ragged.
            return Failure.shown(time.split(separator: ".").first.map { $0.hasSuffix("Z") ? "\($0)" : "\($0)Z" } ?? "-")
        }
    }
}
