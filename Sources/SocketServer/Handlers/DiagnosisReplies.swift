// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers of `POST diagnose`.
enum DiagnosisReplies {
    /// What was found of an account.
    static func diagnosis(of user: UserID, by diagnosing: (any Diagnosing)?, _ serving: any TokenServing) async -> Reply
    {
        guard let diagnosing else { return none }
        guard let diagnosis = await diagnosing.diagnose(user) else {
            return TokenReplies.unknown(user, isReady: serving.isReady)
        }
        return .json(DiagnosisReply(diagnosis).json)
    }

    /// The daemon serves tokens, and looks into nothing.
    private static let none = Reply.problem(Problem(.tokenUnavailable, detail: "This daemon diagnoses no accounts."))
}

extension DiagnosisReply {
    /// A diagnosis in the words of the wire.
    fileprivate init(_ diagnosis: Diagnosis) {
        self.init(
            user: diagnosis.user.text,
            verdict: diagnosis.verdict.rawValue,
            needsAPerson: diagnosis.needsAPerson,
            findings: diagnosis.findings.map { finding in
                Finding(
                    code: finding.code,
                    severity: finding.grade.rawValue,
                    problem: finding.problem,
                    remedy: finding.remedy
                )
            }
        )
    }
}
