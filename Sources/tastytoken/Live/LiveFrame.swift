// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// One picture of the live table: lines for a terminal of a size, all of them within it.
struct LiveFrame {
    /// What is known.
    struct Content {
        /// Whose accounts are shown.
        var scope: AccountScope
        /// The accounts.
        var board = AccountBoard()
        /// What the daemon says of itself.
        var summary: DaemonSummary?
        /// What is wrong, if anything is.
        var trouble: String?
        /// When the accounts were read, in microseconds since 1970-01-01T00:00:00Z; nil if they never were.
        var readAt: Int64?
    }

    private let content: Content
    private let size: Terminal.Size
    private let now: Int64
    private let isColourful: Bool

    /// A picture of that content at a time, in microseconds since 1970-01-01T00:00:00Z.
    init(_ content: Content, size: Terminal.Size, inColour isColourful: Bool, at now: Int64) {
        self.content = content
        self.size = size
        self.isColourful = isColourful
        self.now = now
    }

    /// The lines.
    var lines: [String] {
        let head = head
        let body = body(room: size.rows - head.count - 1)
        return Array((head + body.lines + [cut(footer(hidden: body.hidden))]).prefix(size.rows))
    }

    private var head: [String] {
        var lines = [cut("\(Timestamp.text(microseconds: now / 1_000_000 * 1_000_000))  \(content.board.summary)")]
        lines += (content.summary?.lines(within: size.columns, atMost: summaryRoom) ?? []).map(cut)
        if let trouble { lines.append(styled(.red, cut(trouble))) }
        return lines + [""]
    }

    /// Lines for what the daemon says of itself: the accounts keep most of the screen.
    private var summaryRoom: Int { max(size.rows / 4, 1) }

    private var trouble: String? {
        guard let trouble = content.trouble else { return nil }
        let age = content.readAt.map {
            "shown as it was \(Countdown.text(Timestamp.text(microseconds: $0), at: now)); "
        }
        return (age ?? "") + trouble
    }

    private func body(room: Int) -> (lines: [String], hidden: Int) {
        let accounts = content.board.accounts
        if case .one = content.scope {
            return (accounts.flatMap { StatusText($0, inColour: isColourful, at: now).lines.map(cut) }, 0)
        }
        let shown = accounts.prefix(max(room - 1, 0))
        var table = AccountTable(.relative(to: now), inColour: isColourful, room: size.columns)
        table.widen(for: shown)
        return ([styled(.reverse, table.heading)] + shown.map(table.row), content.board.total - shown.count)
    }

    private func footer(hidden: Int) -> String {
        hidden > 0 ? "\(hidden) more, none more urgent; q ends this" : "q ends this"
    }

    private func styled(_ style: Style, _ text: String) -> String {
        isColourful ? style.applied(to: text) : text
    }

    /// The text as far as the line has room for it. Colours in it take none, and are not cut off.
    private func cut(_ text: String) -> String {
        var left = size.columns
        var isControl = false
        return String(
            text.filter { character in
                if character == "\u{1B}" { isControl = true }
                defer { if character == "m" { isControl = false } }
                guard !isControl else { return true }
                left -= 1
                return left >= 0
            }
        )
    }
}
