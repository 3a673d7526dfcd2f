// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// One thing that is known of a value before anybody else is asked: what is wrong with it, and what to do next.
///
/// Its words never hold a token, a secret or an authorization code, whole or in part. What may be quoted is listed at
/// ``Quotation``.
package struct Finding: Hashable, Sendable {
    /// How much a finding weighs.
    package enum Severity: String, Sendable, CaseIterable {
        /// Worth knowing; nothing has to be done.
        case note
        /// May be wrong: it is said, and the value is tried all the same. The endpoint decides.
        case warning
        /// Surely wrong: the value is refused, and nothing is sent.
        case fault
    }

    /// Tells findings apart for programs; stable.
    package let code: FindingCode
    /// What is wrong: one sentence or two.
    package let problem: String
    /// What to do next.
    package let remedy: String

    /// How much it weighs, which its code decides.
    package var severity: Severity { code.severity }

    /// The longest sentence, in bytes; ours are shorter, whatever they quote.
    private static let limit = 1024

    /// Puts a finding together.
    ///
    /// - Parameters:
    ///   - code: which one it is.
    ///   - problem: what is wrong. Whatever it quotes from outside has gone through ``Quotation``.
    ///   - remedy: what to do next.
    init(_ code: FindingCode, _ problem: String, remedy: String) {
        self.code = code
        self.problem = SafeText(problem, toBytes: Self.limit).text
        self.remedy = SafeText(remedy, toBytes: Self.limit).text
    }
}

extension Finding: CustomStringConvertible {
    /// One line: `warning not_a_jwt: what is wrong. What to do.`
    package var description: String { "\(severity.rawValue) \(code.rawValue): \(problem) \(remedy)" }
}

extension Finding.Severity: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }

    private var weight: Int {
        switch self {
        case .note: 0
        case .warning: 1
        case .fault: 2
        }
    }
}

extension [Finding] {
    /// The weight of the heaviest; nil if there is none.
    package var worst: Finding.Severity? { map(\.severity).max() }

    /// The heaviest first, and those of one weight as they were.
    package var bySeverity: [Finding] {
        Finding.Severity.allCases.reversed().flatMap { severity in filter { $0.severity == severity } }
    }
}
