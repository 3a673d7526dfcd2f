// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Whom an authorization is about, and with what, as the template `subject` has it.
struct SubjectView {
    /// Whose account.
    let user: String
    /// The name of the client.
    let client: String
    /// Which of the two worlds.
    let environment: String
    /// The site to which people are sent.
    let site: String

    /// Puts it into words.
    init(_ subject: AuthorizationSubject) {
        user = ShownUser(subject.user).text
        client = SafeText(subject.client, toBytes: SafeText.quotationLimit).text
        environment = subject.environment.words
        site = (try? WebOrigin(ofPage: subject.page))?.description ?? "unknown"
    }
}
