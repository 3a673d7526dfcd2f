// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
package import TokenCore

extension WebPages: PageLinking {
    /// Why no link leads anywhere; nil while the pages are served.
    package var outage: String? {
        guard !listening.isListening else { return nil }
        return
            "The web pages are not served: \(configuration.host):\(configuration.port) (web.listen) cannot be listened on, "
            + "or not yet; tastytokend check and the daemon's log say why."
    }

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
        try checkWayBack(of: try await authorizing.authorizationSubject(of: user, with: client))
        let (token, end) = try await authorizing.makeAuthorizationLink(for: user, with: client)
        let url = "\(configuration.publicURL)\(AuthorizePage.path)?t=\(PercentCoding.encode(token.reveal()))"
        return PageLink(url: Secret(url), expiresAt: end)
    }
}

extension WebPages {
    /// Sees to it that TastyTrade would send people back to these pages: nobody is sent off who could not finish.
    ///
    /// - Parameter subject: what would be asked for.
    /// - Throws: that the way back leads elsewhere.
    func checkWayBack(of subject: AuthorizationSubject) throws(EnrollmentFailure) {
        guard subject.redirectURI != configuration.publicURL.redirectURI else { return }
        let client = SafeText(subject.client, toBytes: SafeText.quotationLimit).text
        let elsewhere = SafeText(subject.redirectURI, toBytes: SafeText.quotationLimit).text
        throw EnrollmentFailure(
            .invalid,
            Explanation(
                "The way back leads elsewhere",
                "TastyTrade would send people back to \(elsewhere), the redirect URI of the OAuth client \(client), and not to these pages.",
                do:
                    "Connect the account where that address leads, or with tastytoken grant authorize at a terminal. Or give the client the "
                    + "redirect URI \(configuration.publicURL.redirectURI), here and at TastyTrade, to the letter."
            )
        )
    }
}
