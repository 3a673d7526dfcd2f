// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A user's id as it is shown. It is nobody's secret: what looks like a token in it, such as a UUID, stays; only what cannot be seen
/// or turns a line's direction is written as an escape.
struct ShownUser {
    /// The id, bounded.
    let text: String

    /// Takes an id from the table, or as somebody entered it.
    init(_ user: UserID) {
        text = SafeText(user.text, toBytes: SafeText.quotationLimit).text
    }
}
