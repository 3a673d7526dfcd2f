// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the socket needs of the web pages. Adapter: `WebPages`.
package protocol PageLinking: Sendable {
    /// Why no link leads anywhere now, in words; nil where pages are served.
    var outage: String? { get }

    /// Makes a link that signs an operator in, once.
    func makeConsoleLink() -> PageLink

    /// Makes a link that begins an authorization in the browser that opens it, once.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected; the row must exist.
    ///   - client: as for ``Authorizing/beginAuthorization(of:with:from:)``.
    /// - Returns: the link.
    /// - Throws: why there is none.
    func makeAuthorizationLink(for user: UserID, with client: String?) async throws(EnrollmentFailure) -> PageLink
}

extension PageLinking {
    /// They are served.
    package var outage: String? { nil }
}

/// A link to the web pages that is good once.
package struct PageLink: Hashable, Sendable {
    /// The whole address. Whoever has it may use it.
    package let url: Secret
    /// Until when it is good.
    package let expiresAt: WallTime

    /// Puts it together.
    package init(url: Secret, expiresAt: WallTime) {
        self.url = url
        self.expiresAt = expiresAt
    }
}
