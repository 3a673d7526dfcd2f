// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
package import TokenCore

extension WebPages: PageLinking {
    /// Makes a link that signs somebody in, once, within a minute (`POST /v1/console-links`).
    ///
    /// - Returns: the link. It is for the one who asked, and for no log.
    package func makeConsoleLink() -> PageLink {
        let (token, end) = door.makeLink()
        return PageLink(url: Secret("\(configuration.publicURL)/console?t=\(token)"), expiresAt: end.wall)
    }

    /// Makes a link that begins an authorization in the browser that opens it, once.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected; the row must exist.
    ///   - client: the name of the OAuth client to ask for; nil for the account's own.
    /// - Returns: the link. It is for the one who asked, and for no log.
    /// - Throws: why there is none.
    package func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> PageLink {
        let (token, end) = try await authorizing.makeAuthorizationLink(for: user, with: client)
        let url = "\(configuration.publicURL)\(AuthorizePage.path)?t=\(PercentCoding.encode(token.reveal()))"
        return PageLink(url: Secret(url), expiresAt: end)
    }
}
