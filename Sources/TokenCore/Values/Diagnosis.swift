// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What was found as somebody asked what is wrong with an account (product.md, `POST diagnose`). Holds no token, no secret and no code.
package struct Diagnosis: Hashable, Sendable {
    /// Whose account.
    package let user: UserID
    /// What was found, in the order in which it was looked at: the account, its tokens, its client, and what TastyTrade says.
    package let findings: [DiagnosisFinding]

    /// Puts it together.
    package init(of user: UserID, _ findings: [DiagnosisFinding]) {
        self.user = user
        self.findings = findings
    }

    /// The worst of it; what is merely worth knowing is as good as nothing.
    package var verdict: DiagnosisFinding.Grade {
        let worst = findings.map(\.grade).max() ?? .ok
        return worst == .note ? .ok : worst
    }

    /// Whether something is wrong that stays so until somebody mends it.
    package var needsAPerson: Bool {
        findings.contains { $0.grade == .fail && !$0.mayPass }
    }
}

/// One thing that was found.
package struct DiagnosisFinding: Hashable, Sendable {
    /// How much it weighs. The raw values are part of the API.
    package enum Grade: String, Sendable, CaseIterable {
        /// As it should be.
        case ok
        /// Worth knowing; nothing has to be done.
        case note
        /// May be wrong, or may become so.
        case warn
        /// Wrong: the account has no token, or will have none, or its token is of no use.
        case fail
    }

    /// Tells findings apart for programs; stable.
    package let code: String
    /// How much it weighs.
    package let grade: Grade
    /// What was found, in sentences.
    package let problem: String
    /// What mends it; nil where there is nothing to mend.
    package let remedy: String?
    /// Whether it may be over by itself.
    package let mayPass: Bool

    /// The longest text, in bytes.
    private static let limit = 1024

    /// Puts a finding together; its texts are bounded and escaped here once more.
    ///
    /// - Parameters:
    ///   - grade: how much it weighs.
    ///   - code: which one it is.
    ///   - problem: what was found.
    ///   - remedy: what mends it.
    ///   - mayPass: whether it may be over by itself.
    package init(_ grade: Grade, _ code: String, _ problem: String, remedy: String? = nil, mayPass: Bool = false) {
        self.grade = grade
        self.code = code
        self.problem = SafeText(problem, toBytes: Self.limit).text
        self.remedy = remedy.map { SafeText($0, toBytes: Self.limit).text }
        self.mayPass = mayPass
    }
}

extension DiagnosisFinding.Grade: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }

    private var weight: Int {
        switch self {
        case .ok: 0
        case .note: 1
        case .warn: 2
        case .fail: 3
        }
    }
}
