// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who turns a token into the reply that callers get. Adapter: `SocketServer`, which knows the wire.
package protocol TokenRendering: Sendable {
    /// Renders the reply to `GET token` once, for all its callers.
    func render(
        _ accessToken: Secret,
        type tokenType: String,
        life: TokenLife,
        of user: UserID,
        for client: ClientRegistration
    ) -> PublishedToken
}
