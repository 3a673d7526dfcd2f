// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who asks TastyTrade for tokens. Adapter: `TokenEndpoint`.
package protocol TokenRequesting: Sendable {
    /// Makes one refresh call (RFC 6749 section 6) and tells how it went. It ends within the caller's configured
    /// deadlines, follows no redirect, and does not try again: trying again is the schedule's business.
    func refresh(
        _ refreshToken: Secret,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> TokenAnswer
}
