// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What `POST /v1/users/{user}/diagnose` gives: all that was found of an account, and what mends it.
package struct DiagnosisReply: Hashable, Sendable, Decodable {
    /// One thing that was found.
    package struct Finding: Hashable, Sendable, Decodable {
        /// Which one it is; stable.
        package let code: String
        /// `ok`, `note`, `warn` or `fail`.
        package let severity: String
        /// What was found, in sentences.
        package let problem: String
        /// What mends it; nil where there is nothing to mend.
        package let remedy: String?

        fileprivate enum CodingKeys: String, CodingKey { case code, severity, problem, remedy }

        /// Puts a finding together.
        package init(code: String, severity: String, problem: String, remedy: String?) {
            self.code = code
            self.severity = severity
            self.problem = problem
            self.remedy = remedy
        }

        fileprivate var json: [UInt8] {
            var text = JSONText()
            text.add(CodingKeys.code.rawValue, code)
            text.add(CodingKeys.severity.rawValue, severity)
            text.add(CodingKeys.problem.rawValue, problem)
            text.add(CodingKeys.remedy.rawValue, remedy)
            text.close()
            return text.bytes
        }
    }

    /// The severities that something may have; notes are no verdict.
    package enum Severity: String, Sendable, CaseIterable {
        case ok, note, warn, fail
    }

    /// Whose account it is.
    package let user: String
    /// `ok`, `warn` or `fail`.
    package let verdict: String
    /// Whether something is wrong that stays so until somebody mends it.
    package let needsAPerson: Bool
    /// What was found, in the order in which it was looked at.
    package let findings: [Finding]

    private enum CodingKeys: String, CodingKey {
        case user, verdict, findings
        case needsAPerson = "needs_a_person"
    }

    /// Puts together what was found.
    ///
    /// - Parameters:
    ///   - user: whose account it is.
    ///   - verdict: the worst of it.
    ///   - needsAPerson: whether something stays wrong until somebody mends it.
    ///   - findings: what was found, in order.
    package init(user: String, verdict: String, needsAPerson: Bool, findings: [Finding]) {
        self.user = user
        self.verdict = verdict
        self.needsAPerson = needsAPerson
        self.findings = findings
    }

    /// The reply's body.
    package var json: [UInt8] {
        var text = JSONText()
        text.add(CodingKeys.user.rawValue, user)
        text.add(CodingKeys.verdict.rawValue, verdict)
        text.add(CodingKeys.needsAPerson.rawValue, needsAPerson)
        text.add(CodingKeys.findings.rawValue, objects: findings.map(\.json))
        text.close()
        return text.bytes
    }
}
