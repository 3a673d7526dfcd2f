// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What browsers were answered to something that is good once, for the one that asks again: a button that is pressed twice, a page that is
/// loaded anew. It is told the same, and nothing is done twice (hard case H32).
struct RepeatedAnswers<Value: Sendable>: Sendable {
    /// What comes of it.
    typealias Work = Task<Result<Value, EnrollmentFailure>, Never>

    /// So many; of more the oldest goes.
    private static var most: Int { 1000 }

    private struct Entry: Sendable {
        let key: SecretHash
        let browser: SecretHash
        let subject: AuthorizationSubject
        let work: Work
        let until: Moment
    }

    private var entries: [Entry] = []

    /// Notes that something is being done.
    ///
    /// - Parameters:
    ///   - key: the hash of what is good once.
    ///   - browser: the hash of what the browser has in its cookie.
    ///   - subject: whom it is about.
    ///   - work: what does it.
    ///   - now: the time.
    mutating func add(
        _ key: SecretHash,
        of browser: SecretHash,
        _ subject: AuthorizationSubject,
        _ work: Work,
        at now: Moment
    ) {
        remove(key, of: browser)
        let until = now + PendingAuthorization.lifetime
        entries.append(Entry(key: key, browser: browser, subject: subject, work: work, until: until))
        if entries.count > Self.most { entries.removeFirst() }
    }

    /// What was done, or is being done, for that browser.
    ///
    /// - Parameters:
    ///   - key: the hash of what is good once.
    ///   - browser: the hash of what the browser has in its cookie.
    ///   - now: the time; what is long past is forgotten.
    /// - Returns: whom it is about, and what comes of it; nil if there is nothing.
    mutating func find(
        _ key: SecretHash,
        of browser: SecretHash,
        at now: Moment
    ) -> (subject: AuthorizationSubject, work: Work)? {
        entries.removeAll { $0.until.isReached(at: now) }
        return entries.first { $0.key == key && $0.browser == browser }.map { ($0.subject, $0.work) }
    }

    /// Forgets what that browser was answered, so that it can try again; another one may have its answer to the same.
    mutating func remove(_ key: SecretHash, of browser: SecretHash) {
        entries.removeAll { $0.key == key && $0.browser == browser }
    }
}
