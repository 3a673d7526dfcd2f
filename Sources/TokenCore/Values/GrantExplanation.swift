// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why an account is in the state it is in (product.md, `GET explain`).
package struct GrantExplanation: Hashable, Sendable {
    /// The next refresh, probe or other look at the account.
    package struct NextAttempt: Hashable, Sendable {
        /// When.
        package let at: WallTime
        /// Why then.
        package let why: String

        /// Puts it together.
        package init(at: WallTime, why: String) {
            self.at = at
            self.why = why
        }
    }

    /// How the account stands.
    package let report: GrantReport
    /// Why it stands so.
    package let reason: String
    /// What would mend it; nil where nothing is wrong, or nothing can be done but wait.
    package let remedy: String?
    /// What is planned; nil if nothing is.
    package let next: NextAttempt?
    /// The last calls of the endpoint for it that this process remembers, the newest first.
    package let attempts: [RefreshAttempt]
    /// Why the last refresh failed; nil if none has since the last success.
    package let failure: RefreshFailure?

    /// Puts together what the engine knows.
    package init(
        report: GrantReport,
        reason: String,
        remedy: String?,
        next: NextAttempt?,
        attempts: [RefreshAttempt],
        failure: RefreshFailure? = nil
    ) {
        self.report = report
        self.reason = reason
        self.remedy = remedy
        self.next = next
        self.attempts = attempts
        self.failure = failure
    }
}

/// One call of the endpoint that has ended.
package struct RefreshAttempt: Hashable, Sendable {
    /// When it was begun.
    package let at: WallTime
    /// How long it took, in milliseconds.
    package let milliseconds: Int32
    /// Why it gave no token; nil if it gave one.
    package let failure: RefreshFailure.Kind?

    /// Puts it together.
    package init(at: WallTime, milliseconds: Int32, failure: RefreshFailure.Kind?) {
        self.at = at
        self.milliseconds = milliseconds
        self.failure = failure
    }
}
