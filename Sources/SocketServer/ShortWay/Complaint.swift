// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Something that may come in a rush and is said once a minute at most.
struct Complaint {
    private static let silence: Duration = .seconds(60)

    private var saidAt: BootTime?

    /// Whether to say it now.
    mutating func isDue(at now: Moment) -> Bool {
        guard saidAt.map({ now.boot - $0 >= Self.silence }) ?? true else { return false }
        saidAt = now.boot
        return true
    }
}
