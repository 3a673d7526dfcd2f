// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

extension HTTPDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    /// Enough for the years that the format can hold.
    private static let weeksBefore: Int64 = 110_000

    /// Writes a date, to the second.
    ///
    /// - Parameter time: the instant.
    /// - Returns: what a field says.
    static func text(_ time: WallTime) -> String {
        // `1994-11-06T08:49:37Z`, whose parts only stand otherwise here.
        let parts = Timestamp.text(microseconds: time.seconds * 1_000_000).split { "-TZ".contains($0) }
        let month = Int(parts[1]).map { months[$0 - 1] } ?? ""
        // 1970 began on a Thursday, and so did the weeks before it.
        let day = (time.seconds + weeksBefore * 604_800) / 86_400
        return "\(weekdays[Int(day % 7)]), \(parts[2]) \(month) \(parts[0]) \(parts[3]) GMT"
    }
}
