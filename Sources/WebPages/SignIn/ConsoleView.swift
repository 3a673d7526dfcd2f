// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The page that a link opens: one button.
struct ConsoleView: PageView {
    let frame = Frame("Sign in")
    /// The link's token, which the button sends.
    let token: String
}
