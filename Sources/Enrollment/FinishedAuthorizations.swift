// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What became of authorizations that were finished here, for the browser that asks again: a button that is pressed twice, a page that is
/// loaded anew. It is told the same, and nothing is done twice (hard case H32). No token stands here.
package struct FinishedAuthorizations: Sendable {
    /// What came of one.
    package typealias Outcome = Result<Finish, EnrollmentFailure>

    /// An account that was connected.
    package struct Finish: Hashable, Sendable {
        /// Whose it is, and with what.
        package let subject: AuthorizationSubject
        /// What is worth knowing.
        package let notes: [String]
    }

    /// So many; of more the oldest goes.
    package static let most = 1000

    private struct Entry: Sendable {
        let state: SecretHash
        let browser: SecretHash
        let subject: AuthorizationSubject
        let work: Task<Outcome, Never>
        let until: Moment
    }

    private var entries: [Entry] = []

    /// None yet.
    package init() {}

    /// Notes that one is being finished.
    ///
    /// - Parameters:
    ///   - state: the hash of the state.
    ///   - browser: the hash of what the browser has in its cookie.
    ///   - subject: whom it is about.
    ///   - work: what finishes it.
    ///   - now: the time.
    package mutating func add(
        _ state: SecretHash,
        of browser: SecretHash,
        _ subject: AuthorizationSubject,
        _ work: Task<Outcome, Never>,
        at now: Moment
    ) {
        remove(state)
        let until = now + PendingAuthorization.lifetime
        entries.append(Entry(state: state, browser: browser, subject: subject, work: work, until: until))
        if entries.count > Self.most { entries.removeFirst() }
    }

    /// One that was finished, or is being finished, by that browser.
    ///
    /// - Parameters:
    ///   - state: the hash of the state.
    ///   - browser: the hash of what the browser has in its cookie.
    ///   - now: the time; what is long past is forgotten.
    /// - Returns: whom it is about, and what comes of it; nil if there is none.
    package mutating func find(
        _ state: SecretHash,
        of browser: SecretHash,
        at now: Moment
    ) -> (subject: AuthorizationSubject, work: Task<Outcome, Never>)? {
        entries.removeAll { $0.until.isReached(at: now) }
        return entries.first { $0.state == state && $0.browser == browser }.map { ($0.subject, $0.work) }
    }

    /// Forgets one, so that it can be tried again.
    package mutating func remove(_ state: SecretHash) {
        entries.removeAll { $0.state == state }
    }
}
