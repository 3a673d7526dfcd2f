// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who asks TastyTrade for tokens. Adapter: `TokenEndpoint`.
package protocol TokenRequesting: Sendable {
    /// Makes one refresh call (RFC 6749 section 6) and tells how it went. It ends within the caller's configured
    /// deadlines, follows no redirect, and does not try again: trying again is the schedule's business.
    ///
    /// The account is in hand while its reply is read; of its id no other use is made.
    func refresh(
        _ refreshToken: Secret,
        of account: AccountAtHand,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> TokenAnswer
}
