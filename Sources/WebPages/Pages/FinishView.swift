// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The page to which people come back from TastyTrade: one button. Code and state stand in its form and nowhere else.
struct FinishView: PageView {
    let frame: Frame
    let subject: SubjectView
    let code: String
    let state: String
    /// What shows that the form is this browser's.
    let formToken: String
    /// Why the button has to be pressed once more.
    let problems: ProblemsView?

    /// Puts the page together.
    ///
    /// - Parameters:
    ///   - subject: whom it is about.
    ///   - code: what TastyTrade gave.
    ///   - state: what came back with it.
    ///   - formToken: what shows that the form is this browser's.
    ///   - failure: what came in the way of a try that is worth repeating; nil before the first.
    init(
        _ subject: AuthorizationSubject,
        code: Secret,
        state: Secret,
        formToken: String,
        after failure: EnrollmentFailure? = nil
    ) {
        problems = failure.flatMap { failure in
            let wait = failure.retryAfter.map { "Press the button again in \(max($0.wholeSecondsUp, 1)) s." }
            // Nobody is known here: what the database said is not for everybody.
            let words = failure.explanation.map { "\($0.title): \($0.whatHappened)" } ?? failure.text
            return ProblemsView("It is not connected yet", [Problem(words)], advice: wait)
        }
        self.subject = SubjectView(subject)
        frame = Frame("Connect user \(self.subject.user)")
        self.code = code.reveal()
        self.state = state.reveal()
        self.formToken = formToken
    }
}
