// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Chance and digests, as the composition root has them.
package struct WebSecrets: Sendable {
    let random: @Sendable (Int) -> [UInt8]
    let digest: @Sendable ([UInt8]) -> [UInt8]

    /// Takes the two functions.
    ///
    /// - Parameters:
    ///   - random: so many bytes that nobody can guess.
    ///   - digest: a digest that cannot be turned back, such as SHA-256.
    package init(random: @escaping @Sendable (Int) -> [UInt8], digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.random = random
        self.digest = digest
    }
}

/// A link that signs somebody in, once.
package struct ConsoleLink: Hashable, Sendable {
    /// The whole address. Whoever has it may use it.
    package let url: Secret
    /// Until when it is good.
    package let expiresAt: WallTime
}

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
    private let secrets: WebSecrets
    private let clock: ClockReading

    init(_ secrets: WebSecrets, clock: @escaping ClockReading) {
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

    /// 256 bits, as they may stand in an address and in a cookie.
    private func makeToken() -> String {
        String(decoding: Base64Text.url.encode(secrets.random(32)), as: UTF8.self)
    }

    private func digest(of token: String) -> ConsoleSessions.Digest { secrets.digest(Array(token.utf8)) }
}
