// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Who is at the other end of a connection, as the kernel says it (unix(7), `SO_PEERCRED`); nothing else is believed.
package struct Caller: Hashable, Sendable {
    /// The process that connected; it may have ended since, or passed the descriptor on.
    package let process: Int32
    /// Its effective user at the time it connected.
    package let user: UInt32
    /// Its effective group at the time it connected.
    package let group: UInt32

    /// Puts together what the kernel said.
    package init(process: Int32, user: UInt32, group: UInt32) {
        self.process = process
        self.user = user
        self.group = group
    }
}

/// What a caller may be allowed to do (product.md, Who may ask).
package enum Right: String, Sendable, CaseIterable {
    /// Get tokens.
    case token
    /// Have tokens refreshed.
    case refresh
    /// See how accounts stand.
    case status
    /// Give and remove grants.
    case enroll
    /// All of it, clients and web pages too.
    case admin
}

/// Whether this caller has this right over this user; nil stands for what concerns no one user.
package typealias AccessDecision = @Sendable (_ caller: Caller, _ right: Right, _ user: UserID?) -> Bool

/// Root and the daemon's own user may do everything, everybody else nothing.
///
/// - Parameter ownUser: the effective uid of the daemon.
/// - Returns: a pure function.
package func ownerOnlyAccess(ownUser: UInt32) -> AccessDecision {
    { caller, _, _ in caller.user == 0 || caller.user == ownUser }
}
