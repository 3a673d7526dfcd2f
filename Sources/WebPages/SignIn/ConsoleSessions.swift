// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Who is signed in, and which links may still sign somebody in. It is pure, and knows tokens by their hashes only, so that what
/// is read from memory opens nothing.
struct ConsoleSessions {
    /// A session as a browser has it.
    struct Session: Hashable {
        /// What its forms carry along.
        let formToken: String
        /// When it is over, however much it is used.
        let endsAt: Moment
    }

    /// How long a link may be used.
    static let linkLife: Duration = .seconds(60)
    /// How long a session lasts.
    static let sessionLife: Duration = .seconds(1800)
    /// How many links there may be at a time; a further one takes the place of the oldest.
    static let mostLinks = 16
    /// How many sessions there may be at a time; a further one takes the place of the oldest.
    static let mostSessions = 64

    private var links: [SecretHash: Moment] = [:]
    private var sessions: [SecretHash: Session] = [:]

    /// Takes a link up.
    ///
    /// - Returns: until when it is good.
    mutating func add(link: SecretHash, at now: Moment) -> Moment {
        forget(at: now)
        if links.count >= Self.mostLinks, let oldest = links.min(by: { $0.value.boot < $1.value.boot }) {
            links[oldest.key] = nil
        }
        let end = now + Self.linkLife
        links[link] = end
        return end
    }

    /// Whether a link may still be used. Asking does not spend it: mail programs and browsers open links ahead of people.
    func isGood(link: SecretHash, at now: Moment) -> Bool {
        links[link].map { !$0.isReached(at: now) } ?? false
    }

    /// Spends a link for a session.
    ///
    /// - Parameters:
    ///   - link: the link.
    ///   - session: what the new session is to be known by.
    ///   - formToken: what its forms carry along.
    ///   - now: the time.
    /// - Returns: the session; nil if the link is not good, or not any more.
    mutating func spend(link: SecretHash, for session: SecretHash, formToken: String, at now: Moment) -> Session? {
        forget(at: now)
        guard links.removeValue(forKey: link) != nil else { return nil }
        if sessions.count >= Self.mostSessions,
            let oldest = sessions.min(by: { $0.value.endsAt.boot < $1.value.endsAt.boot })
        {
            sessions[oldest.key] = nil
        }
        let begun = Session(formToken: formToken, endsAt: now + Self.sessionLife)
        sessions[session] = begun
        return begun
    }

    /// The session that is known by it; nil if there is none, or it is over.
    func session(_ session: SecretHash, at now: Moment) -> Session? {
        sessions[session].flatMap { $0.endsAt.isReached(at: now) ? nil : $0 }
    }

    /// Ends a session.
    mutating func end(_ session: SecretHash) {
        sessions[session] = nil
    }

    private mutating func forget(at now: Moment) {
        links = links.filter { !$0.value.isReached(at: now) }
        sessions = sessions.filter { !$0.value.endsAt.isReached(at: now) }
    }
}
