// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// An explanation for people: what stands how and why, then the attempts in a table.
struct ExplanationText {
    /// The lines, without their ends.
    let lines: [String]

    /// Lays an explanation out.
    ///
    /// - Parameters:
    ///   - explanation: what the daemon told.
    ///   - isColourful: whether the status has a colour.
    ///   - now: microseconds since 1970-01-01T00:00:00Z, for how far away times are; nil leaves that out.
    init(_ explanation: Explanation, inColour isColourful: Bool, at now: Int64?) {
        let state = Failure.shown(explanation.status)
        let fields = FieldList([
            ("user", Failure.shown(explanation.user)),
            ("status", isColourful ? Style(status: state).applied(to: state) : state),
            ("reason", explanation.reason.map(Failure.shown)),
            ("remedy", explanation.remedy.map(Failure.shown)),
            ("next attempt", explanation.nextAttempt.map { Self.shown($0, now) }),
        ])
        let attempts = explanation.attempts ?? []
        self.lines = fields.lines + [""] + (attempts.isEmpty ? ["no attempts yet"] : Self.table(attempts, now))
    }

    private static func shown(_ next: Explanation.NextAttempt, _ now: Int64?) -> String {
        time(next.at, now) + (next.why.map { ": \(Failure.shown($0))" } ?? "")
    }

    private static func time(_ time: String, _ now: Int64?) -> String {
        Failure.shown(time) + (now.map { " (\(Countdown.text(time, at: $0)))" } ?? "")
    }

    private static func table(_ attempts: [Explanation.Attempt], _ now: Int64?) -> [String] {
        let rows = attempts.map { attempt in
            [
                time(attempt.at, now), attempt.milliseconds.map { took($0) } ?? "-", Failure.shown(attempt.outcome),
                attempt.error.map(Failure.shown) ?? "-",
            ]
        }
        return Self.aligned([["ATTEMPT", "TOOK", "OUTCOME", "ERROR"]] + rows)
    }

    private static func took(_ milliseconds: Double) -> String {
        guard milliseconds.isFinite, (0..<1e9).contains(milliseconds) else { return "-" }
        return "\(Int(milliseconds.rounded())) ms"
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let columns = rows.first?.indices ?? 0..<0
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { index, cell in
                let gap = index == row.count - 1 ? 0 : cell.1 - cell.0.count + 2
                return cell.0 + String(repeating: " ", count: gap)
            }.joined()
        }
    }
}
