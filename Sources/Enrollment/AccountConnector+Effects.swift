// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension AccountConnector {
    /// What the engine is told and asked.
    package struct Effects: Sendable {
        /// A row was written; returns when it is taken in. The flag says whether its refresh token was just used.
        let rowWasWritten: @Sendable (UserID, Bool) async -> Void
        /// A client was changed; returns when it is taken in.
        let clientsWereChanged: @Sendable () async -> Void
        /// Has an account refreshed with the grant that it has; tells what becomes of that.
        let refresh: @Sendable (UserID) async -> RefreshVerdict
        /// How many accounts there are that have a grant.
        let accountsWithGrant: @Sendable () async -> Int
        /// Why no call may be made for a client now, nil being the configuration's; nil if one may, which counts as made.
        let obstacle: @Sendable (_ client: String?) async -> CallObstacle?
        /// A call that was made for an account with a client came to its end, with that failure or a token.
        let callEnded: @Sendable (UserID, _ client: String?, _ begunAt: Moment, RefreshFailure?) async -> Void

        /// Takes what the engine offers.
        package init(
            rowWasWritten: @escaping @Sendable (UserID, Bool) async -> Void,
            clientsWereChanged: @escaping @Sendable () async -> Void,
            refresh: @escaping @Sendable (UserID) async -> RefreshVerdict,
            accountsWithGrant: @escaping @Sendable () async -> Int,
            obstacle: @escaping @Sendable (String?) async -> CallObstacle?,
            callEnded: @escaping @Sendable (UserID, String?, Moment, RefreshFailure?) async -> Void
        ) {
            self.rowWasWritten = rowWasWritten
            self.clientsWereChanged = clientsWereChanged
            self.refresh = refresh
            self.accountsWithGrant = accountsWithGrant
            self.obstacle = obstacle
            self.callEnded = callEnded
        }
    }
}
