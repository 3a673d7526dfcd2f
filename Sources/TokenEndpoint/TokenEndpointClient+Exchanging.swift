// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension TokenEndpointClient: CodeExchanging {
    /// Makes one exchange of a code (RFC 6749 section 4.1.3; fact sheet section 4.1), on the same way as a refresh.
    ///
    /// - Parameters:
    ///   - code: what came back from the authorize page.
    ///   - redirectURI: the address that it came back to, to the letter as it was asked for.
    ///   - client: the client that it was asked for, with its `client_id`.
    /// - Returns: an access token and a refresh token.
    /// - Throws: as ``TokenCore/CodeExchanging`` says. A refresh token that could be read although the rest is no good is carried by
    ///   the failure, as with a refresh: the code is spent, and no other copy of it will come.
    package func exchange(
        _ code: Secret,
        redirectURI: String,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> CodeAnswer {
        guard let id = client.clientID, !id.isEmpty else {
            // Of an incomplete request nothing good can come, and the code would be lost.
            throw RefreshFailure(
                .clientRefused,
                text:
                    "a code can be exchanged only with a client id, and none is set (tastytrade.clientId); nothing was sent"
            )
        }
        let call = TokenCall(code: code, redirectURI: redirectURI, client: client)
        let answer = try await tokens(for: call, of: .none)
        guard let refreshToken = answer.newRefreshToken else {
            throw RefreshFailure(
                .malformed,
                text:
                    "no refresh token returned: the endpoint took the code and gave an access token alone, which cannot be kept fresh"
            )
        }
        return CodeAnswer(
            accessToken: answer.accessToken,
            tokenType: answer.tokenType,
            life: answer.life,
            refreshToken: refreshToken
        )
    }
}
