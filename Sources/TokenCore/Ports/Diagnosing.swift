// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who looks for what is wrong with an account. Adapter: `AccountDiagnoser` of Enrollment.
package protocol Diagnosing: Sendable {
    /// Looks at all that can be known of an account: without asking anybody first, and then by one question to TastyTrade, if none was
    /// asked a moment ago. Changes nothing. It ends within deadlines of its own.
    ///
    /// - Parameter user: whose account.
    /// - Returns: what was found; nil if no such row is known.
    func diagnose(_ user: UserID) async -> Diagnosis?
}
