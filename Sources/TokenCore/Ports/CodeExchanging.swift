// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who exchanges the codes that TastyTrade's authorize page gives. Adapter: `TokenEndpoint`.
package protocol CodeExchanging: Sendable {
    /// Makes one exchange (RFC 6749 section 4.1.3), within the same deadlines as a refresh. A code is good for one use, so nobody tries
    /// again with it: whatever becomes of the call, the next try begins with a new code.
    ///
    /// - Parameters:
    ///   - code: what came back from the authorize page.
    ///   - redirectURI: the address that it came back to, to the letter as it was asked for.
    ///   - client: the client that it was asked for, with its `client_id`.
    /// - Returns: an access token and a refresh token.
    /// - Throws: what went wrong. `grantRefused` says that the *code* is not taken (spent, expired, another client's), and nothing of any
    ///   grant; an answer without a refresh token is `malformed`, and carries nothing. Any other failure may carry the refresh token of an
    ///   answer that was no good otherwise, or broke off behind it (`newRefreshToken`): the code is spent then, and that is the grant.
    func exchange(
        _ code: Secret,
        redirectURI: String,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> CodeAnswer
}
