// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Names of what log records say besides their words.
enum LogKey {
    /// Which event it is, for programs.
    static let event = "event"
    /// Where the pages were to listen.
    static let address = "address"
    /// A failure in words.
    static let error = "error.message"
    /// Whose account.
    static let user = "user.id"
}
