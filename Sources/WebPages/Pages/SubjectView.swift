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
    /// What TastyTrade is asked to allow; nil where it is to offer what it likes.
    let scopes: String?
    /// The site to which people are sent.
    let site: String

    /// Puts it into words.
    init(_ subject: AuthorizationSubject) {
        user = ShownUser(subject.user).text
        client = SafeText(subject.client, toBytes: SafeText.quotationLimit).text
        environment = subject.environment.words
        let scopes = SafeText(subject.scopes.joined(separator: " "), toBytes: SafeText.quotationLimit).text
        self.scopes = scopes.isEmpty ? nil : scopes
        site = (try? WebOrigin(ofPage: subject.page))?.description ?? "unknown"
    }
}
