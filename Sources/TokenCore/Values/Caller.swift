// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who is at the other end of a connection, as the kernel says it (unix(7), `SO_PEERCRED` and `SO_PEERGROUPS`); nothing else
/// is believed.
package struct Caller: Hashable, Sendable {
    /// The process that connected; it may have ended since, or passed the descriptor on.
    package let process: Int32
    /// Its effective user at the time it connected.
    package let user: UInt32
    /// Its effective group at the time it connected.
    package let group: UInt32
    /// Its supplementary groups at the time it connected.
    package let supplementaryGroups: [UInt32]

    /// Puts together what the kernel said.
    package init(process: Int32, user: UInt32, group: UInt32, supplementaryGroups: [UInt32] = []) {
        self.process = process
        self.user = user
        self.group = group
        self.supplementaryGroups = supplementaryGroups
    }
}
