// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who turns a token into what callers get. Adapter: `SocketServer`, which knows the wire.
package protocol TokenRendering: Sendable {
    /// Renders what a reply to `GET token` is made of, once, for all its callers.
    func render(
        _ accessToken: Secret,
        type tokenType: String,
        life: TokenLife,
        for client: ClientRegistration
    ) -> PublishedToken
}
