// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Whose account is to be connected, and with which client, as somebody entered it.
struct AuthorizationChoice {
    /// Whose account; empty where nothing was entered.
    let user: UserID
    /// The name of the client; nil for the account's own.
    let client: String?

    /// Takes what came.
    init(_ fields: FormFields) {
        user = UserID(fields.verbatim("user") ?? "")
        client = fields.trimmed("client")
    }

    /// What is wrong where nobody is named.
    static let noUser = Problem("Say whose account it is.", at: "user")
}
