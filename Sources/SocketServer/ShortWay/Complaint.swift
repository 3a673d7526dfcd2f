// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Something that may come in a rush and is said once for the whole of it: an episode goes on until it has not come for a
/// minute. How often it came is counted elsewhere.
struct Complaint {
    private static let quiet: Duration = .seconds(60)

    private var lastAt: BootTime?

    /// It has come; gives whether to say it now.
    mutating func isDue(at now: Moment) -> Bool {
        defer { lastAt = now.boot }
        return lastAt.map { now.boot - $0 >= Self.quiet } ?? true
    }
}
