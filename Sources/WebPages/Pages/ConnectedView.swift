// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The page that says that an account is connected.
struct ConnectedView: PageView {
    let frame: Frame
    let subject: SubjectView
    /// What is worth knowing though it worked.
    let notes: [String]
    /// Where to go from here; nil for whoever is not signed in.
    let next: Link?

    /// Puts the page together.
    ///
    /// - Parameters:
    ///   - subject: whose account.
    ///   - notes: what is worth knowing though it worked.
    ///   - visit: who looks at it; nil for nobody.
    init(_ subject: AuthorizationSubject, _ notes: [String], for visit: Visit?) {
        self.subject = SubjectView(subject)
        frame = Frame("The account of user \(self.subject.user) is connected", for: visit)
        self.notes = notes
        next = visit.map { _ in Link(address: "/", words: "See all accounts") }
    }
}
