// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Makes links as a test says.
package final class LinkingDouble: PageLinking {
    private let reason = Mutex<String?>(nil)
    private let made = Mutex(0)
    private let failure = Mutex<EnrollmentFailure?>(nil)
    /// Whose accounts links were asked for, and with which client.
    package let requests = Mailbox<[String?]>()

    /// What every link is.
    package let link = PageLink(
        url: Secret("http://localhost:3000/console?t=link-of-the-double"),
        expiresAt: WallTime(microseconds: 1_767_225_660_000_000)
    )

    package init() {}

    /// From here on no link leads anywhere, for that reason, until it is nil again.
    package func goOut(because reason: String?) { self.reason.withLock { $0 = reason } }
    /// No link to connect an account is made, until it is nil again.
    package func fail(with failure: EnrollmentFailure?) { self.failure.withLock { $0 = failure } }
    /// How many links were made.
    package var count: Int { made.withLock { $0 } }
    package var outage: String? { reason.withLock { $0 } }

    package func makeConsoleLink() -> PageLink {
        made.withLock { $0 += 1 }
        return link
    }

    package func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> PageLink {
        requests.send([user.text, client])
        if let failure = failure.withLock({ $0 }) { throw failure }
        return link
    }
}
