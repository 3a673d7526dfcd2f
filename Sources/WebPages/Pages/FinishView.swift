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

    /// Puts the page together.
    init(_ subject: AuthorizationSubject, code: Secret, state: Secret, formToken: String) {
        self.subject = SubjectView(subject)
        frame = Frame("Connect user \(self.subject.user)")
        self.code = code.reveal()
        self.state = state.reveal()
        self.formToken = formToken
    }
}
