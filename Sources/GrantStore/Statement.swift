// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A statement's text with the name under which failures speak of it.
struct Statement: Sendable {
    /// What failures call it.
    let name: String
    /// The SQL. Values are never part of it: they travel as parameters, and so stay out of the server's log.
    let text: String
    /// What its failures must not show: the values that it writes, which a trigger may quote.
    let secrets: [Secret]

    /// Names a text.
    init(_ name: String, _ text: String, hiding secrets: [Secret] = []) {
        self.name = name
        self.text = text
        self.secrets = secrets
    }

    /// The same statement for values that must not be shown.
    func hiding(_ secrets: [Secret]) -> Statement {
        Statement(name, text, hiding: secrets)
    }
}
