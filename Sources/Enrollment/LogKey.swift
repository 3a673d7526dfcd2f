// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The metadata keys of this module's log, which are those of the engine's.
enum LogKey {
    /// Whose account.
    static let user = "user.id"
    /// Tells records apart for programs.
    static let event = "event"
    /// The OAuth client's name.
    static let client = "client.name"
    /// A failure's kind.
    static let errorCode = "error.code"
    /// A failure in words.
    static let error = "error.message"
}
