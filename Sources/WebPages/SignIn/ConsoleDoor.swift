// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// Makes links and sessions, and looks them up.
final class ConsoleDoor: Sendable {
    /// A session that somebody was given.
    struct Entry {
        /// What the browser is to keep.
        let token: Secret
        /// The session.
        let session: ConsoleSessions.Session
    }

    private let sessions = Mutex(ConsoleSessions())
    private let secrets: SecretSource
    private let clock: ClockReading

    init(_ secrets: SecretSource, clock: @escaping ClockReading) {
        self.secrets = secrets
        self.clock = clock
    }

    /// Makes a link.
    func makeLink() -> (token: String, end: Moment) {
        let (token, now) = (makeToken(), clock())
        let digest = digest(of: token)
        return (token, sessions.withLock { $0.add(link: digest, at: now) })
    }

    /// Whether a link may still be used.
    func isGood(link token: String) -> Bool {
        let (digest, now) = (digest(of: token), clock())
        return sessions.withLock { $0.isGood(link: digest, at: now) }
    }

    /// Spends a link; nil if it is not good, or not any more.
    func spend(link token: String) -> Entry? {
        let (link, now) = (digest(of: token), clock())
        let (sessionToken, formToken) = (makeToken(), makeToken())
        let session = digest(of: sessionToken)
        return sessions.withLock { $0.spend(link: link, for: session, formToken: formToken, at: now) }
            .map { Entry(token: Secret(sessionToken), session: $0) }
    }

    /// The session that a browser says it has.
    func session(_ token: String) -> ConsoleSessions.Session? {
        let (digest, now) = (digest(of: token), clock())
        return sessions.withLock { $0.session(digest, at: now) }
    }

    /// Ends a session.
    func end(_ token: String) {
        let digest = digest(of: token)
        sessions.withLock { $0.end(digest) }
    }

    private func makeToken() -> String { secrets.makeToken().reveal() }

    private func digest(of token: String) -> SecretHash { secrets.hash(of: Secret(token)) }
}
