// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What went wrong with a call of TastyTrade, for people who do not know OAuth.
package struct Explanation: Hashable, Sendable {
    /// The heading: a few words.
    package let title: String
    /// What happened: what was refused, or did not come about, and why.
    package let whatHappened: String
    /// What to do, or that nothing has to be done.
    package let whatToDo: String

    /// Puts it together. Nothing from outside stands in it but what was bounded and escaped.
    ///
    /// - Parameters:
    ///   - title: a few words.
    ///   - whatHappened: sentences.
    ///   - whatToDo: sentences.
    package init(_ title: String, _ whatHappened: String, do whatToDo: String) {
        self.title = title
        self.whatHappened = whatHappened
        self.whatToDo = whatToDo
    }
}
