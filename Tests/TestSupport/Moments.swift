// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Moment {
    /// A moment at which every test can begin: 2026-01-01T00:00:00Z, a thousand seconds after boot.
    package static let newYear = Moment(
        wall: WallTime(nanoseconds: 1_767_225_600_000_000_000),
        boot: BootTime(nanoseconds: 1_000_000_000_000)
    )
}
