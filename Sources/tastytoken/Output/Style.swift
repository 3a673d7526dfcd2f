// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What stands out on a terminal (ECMA-48, select graphic rendition).
enum Style: String {
    case green = "32"
    case yellow = "33"
    case red = "31"
    case reverse = "7"
    case bold = "1"

    /// The text in this style, and everything after it as before.
    func applied(to text: String) -> String {
        "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }

    /// The style of an account's status: whether somebody should look at it.
    init(status: String) {
        switch status {
        case "active", "refreshing": self = .green
        case "degraded", "no_grant": self = .yellow
        default: self = .red
        }
    }
}
