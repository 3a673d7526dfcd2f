// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The page from which people go to TastyTrade: what they are about to allow, and one button.
struct BeginView: PageView {
    let frame: Frame
    let subject: SubjectView
    /// What makes the link secret, which the button sends; nil where somebody is signed in.
    let link: String?
    /// Whose account, to the letter.
    let user: String
    /// The client, so that it is the one that was shown.
    let client: String

    /// For whoever opened a link.
    init(_ subject: AuthorizationSubject, byLink link: String) {
        self.init(subject, link, nil)
    }

    /// For an operator.
    init(_ subject: AuthorizationSubject, for visit: Visit) {
        self.init(subject, nil, visit)
    }

    private init(_ subject: AuthorizationSubject, _ link: String?, _ visit: Visit?) {
        self.subject = SubjectView(subject)
        frame = Frame("Connect user \(self.subject.user)", for: visit, at: .begin)
        self.link = link
        user = subject.user.text
        client = subject.client
    }
}
