// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What `GET /v1/users/{user}/explain` tells, as far as this tool shows it. Only whom it is about and how he stands must be
/// there; what is missing is shown as missing, and what is unknown is ignored.
struct Explanation: Decodable, Equatable {
    /// When the next refresh is.
    struct NextAttempt: Decodable, Equatable {
        /// RFC 3339.
        let at: String
        /// Why then.
        let why: String?
    }

    /// A refresh that was tried.
    struct Attempt: Decodable, Equatable {
        /// When, RFC 3339.
        let at: String
        /// How long it took; a fraction is possible.
        let milliseconds: Double?
        /// What came of it, in a word.
        let outcome: String
        /// What was wrong, if anything was.
        let error: String?

        private enum CodingKeys: String, CodingKey {
            case at, outcome, error
            case milliseconds = "duration_ms"
        }
    }

    /// Whose account it is.
    let user: String
    /// One of the contract's statuses.
    let status: String
    /// Why it has that status.
    let reason: String?
    /// What would mend it; nil if nothing is wrong.
    let remedy: String?
    /// The next refresh; nil if none is planned.
    let nextAttempt: NextAttempt?
    /// The last refreshes, as the daemon orders them.
    let attempts: [Attempt]?

    private enum CodingKeys: String, CodingKey {
        case user, status, reason, remedy, attempts
        case nextAttempt = "next_attempt"
    }
}
