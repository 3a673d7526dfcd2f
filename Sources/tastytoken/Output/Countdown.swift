// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A time as people want it: how long it is away.
enum Countdown {
    /// `in 14m03s`, `2h05m ago`, or `now`; what is no time is shown as it is, and none as a dash.
    ///
    /// - Parameters:
    ///   - time: a time as the API writes it.
    ///   - now: microseconds since 1970-01-01T00:00:00Z.
    /// - Returns: the words.
    static func text(_ time: String?, at now: Int64) -> String {
        guard let time else { return "-" }
        guard let microseconds = Timestamp.microseconds(time) else { return Failure.shown(time) }
        let seconds = (microseconds - now) / 1_000_000
        if seconds == 0 { return "now" }
        return seconds > 0 ? "in \(span(seconds))" : "\(span(-seconds)) ago"
    }

    /// The two units that matter.
    private static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m\(padded(seconds % 60))s"
        case ..<86_400: "\(seconds / 3600)h\(padded(seconds / 60 % 60))m"
        default: "\(seconds / 86_400)d\(padded(seconds / 3600 % 24))h"
        }
    }

    private static func padded(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
