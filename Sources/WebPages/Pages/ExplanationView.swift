// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A page that says what happened, and what to do.
struct ExplanationView: PageView {
    let frame: Frame
    /// What happened.
    let whatHappened: String
    /// What to do; nil where that is said already.
    let whatToDo: String?
    /// Where to go from here.
    let link: Link?
    /// Whether it is for somebody on the way to TastyTrade and back who is not signed in: he has no way to begin again by himself.
    let isStranger: Bool

    /// For a failure; there nobody is known.
    init(_ failure: PageFailure) {
        frame = Frame(failure.title)
        whatHappened = failure.whatHappened
        whatToDo = failure.whatToDo
        link = failure.leadsHome ? Link(address: "/", words: "Go to the accounts") : nil
        isStranger = false
    }

    /// For what TastyTrade said, such as the `error` that people come back with.
    ///
    /// - Parameters:
    ///   - explanation: what it means.
    ///   - link: where to go from here.
    ///   - visit: who looks at it; nil for nobody.
    init(_ explanation: Explanation, link: Link?, for visit: Visit?) {
        frame = Frame(explanation.title, for: visit)
        whatHappened = explanation.whatHappened
        whatToDo = explanation.whatToDo
        self.link = link
        isStranger = visit == nil
    }

    /// For a failure whose text says what to do too.
    ///
    /// - Parameters:
    ///   - title: the heading.
    ///   - text: what happened, and what to do.
    ///   - link: where to go from here.
    ///   - visit: who looks at it; nil for nobody.
    init(_ title: String, _ text: String, link: Link?, for visit: Visit?) {
        frame = Frame(title, for: visit)
        whatHappened = text
        whatToDo = nil
        self.link = link
        isStranger = visit == nil
    }
}
