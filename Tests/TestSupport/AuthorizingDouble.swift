// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Sends people to TastyTrade and takes them back as a test says, and tells what it was asked for.
package final class AuthorizingDouble: Authorizing {
    /// What was asked for, with the secrets that were handed in.
    package enum Request: Hashable, Sendable {
        case subject(UserID, String?)
        case begin(UserID, String?, AuthorizationPlace)
        case link(UserID, String?)
        case look(link: Secret)
        case beginByLink(Secret, Secret)
        case pending(Secret, AuthorizationPlace)
        case finish(Secret, AuthorizationEnd, AuthorizationPlace)
    }

    private struct State {
        var seen: [Request] = []
        var failure: EnrollmentFailure?
        var failureOfLooks: EnrollmentFailure?
        var notes: [String] = []
        var subject = AuthorizationSubject(
            user: UserID("42"),
            client: "default",
            environment: .sandbox,
            page: "https://cert-my.staging-tasty.works/auth.html",
            redirectURI: "http://localhost/tastytrade/oauth/callback",
            scopes: ["read", "trade"]
        )
    }

    private let state = Mutex(State())
    /// Every call, as it comes.
    package let requests = Mailbox<Request>()
    /// The same, as often as a test wants to look.
    package var seen: [Request] { state.withLock(\.seen) }
    /// What is made.
    package let start = AuthorizationStart(
        url: Secret("https://cert-my.staging-tasty.works/auth.html?client_id=c&state=state-of-the-double"),
        state: Secret("state-of-the-double"),
        expiresAt: WallTime(microseconds: 1_767_225_600_000_000)
    )

    package init() {}

    /// Every call that begins or finishes something fails with it, until it is nil again.
    package func fail(with failure: EnrollmentFailure?) { state.withLock { $0.failure = failure } }
    /// Every call that looks at a link or a state fails with it, until it is nil again.
    package func failLooks(with failure: EnrollmentFailure?) { state.withLock { $0.failureOfLooks = failure } }
    /// What is said of what worked.
    package func remark(_ notes: [String]) { state.withLock { $0.notes = notes } }
    /// Whom links and states are about.
    package func concern(_ subject: AuthorizationSubject) { state.withLock { $0.subject = subject } }

    private func note(_ request: Request) -> State {
        requests.send(request)
        return state.withLock { state in
            state.seen.append(request)
            return state
        }
    }

    private func answer(_ request: Request) throws(EnrollmentFailure) -> State {
        let state = note(request)
        if let failure = state.failure { throw failure }
        return state
    }

    private func look(_ request: Request) throws(EnrollmentFailure) -> AuthorizationSubject {
        let state = note(request)
        if let failure = state.failureOfLooks { throw failure }
        return state.subject
    }

    package func beginAuthorization(
        of user: UserID,
        with client: String?,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationStart {
        _ = try answer(.begin(user, client, place))
        return start
    }

    package func authorizationSubject(
        of user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> AuthorizationSubject {
        try look(.subject(user, client))
    }

    package func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> (token: Secret, expiresAt: WallTime) {
        _ = try answer(.link(user, client))
        return (Secret("link-of-the-double"), start.expiresAt)
    }

    package func authorization(byLink link: Secret) async throws(EnrollmentFailure) -> AuthorizationSubject {
        try look(.look(link: link))
    }

    package func beginAuthorization(
        byLink link: Secret,
        in browser: Secret
    ) async throws(EnrollmentFailure) -> AuthorizationStart {
        _ = try answer(.beginByLink(link, browser))
        return start
    }

    package func authorization(
        inState state: Secret,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationSubject {
        try look(.pending(state, place))
    }

    package func finishAuthorization(
        inState state: Secret,
        with end: AuthorizationEnd,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> (subject: AuthorizationSubject, notes: [String]) {
        let state = try answer(.finish(state, end, place))
        return (state.subject, state.notes)
    }
}
