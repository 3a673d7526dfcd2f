// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Links for the socket.
extension WebPages: PageLinking {
    /// Why no link leads anywhere; nil while the pages are served.
    package var outage: String? {
        guard !listening.isListening else { return nil }
        return
            "The web pages are not served: \(configuration.host):\(configuration.port) (web.listen) cannot be listened on, "
            + "or not yet; tastytokend check and the daemon's log say why."
    }

    /// There are none yet: no page begins an authorization.
    package func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> PageLink {
        throw EnrollmentFailure(.unavailable, "The web pages of this version begin no authorization.")
    }
}
