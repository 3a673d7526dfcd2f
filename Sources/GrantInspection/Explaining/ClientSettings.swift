// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What the settings of an OAuth client are called, and where they are changed: the configuration's by their keys, another client's by its
/// name and a command.
struct ClientSettings {
    /// The client's name; nil where it is not known which one it is.
    let client: String?

    /// Names settings in the middle of a sentence.
    ///
    /// - Parameters:
    ///   - words: what they are for any client.
    ///   - keys: the keys of the configuration, whose client has no other settings.
    /// - Returns: the words for this client.
    func named(_ words: String, _ keys: String) -> String {
        switch client {
        case ClientRegistration.configuredName?: keys
        case let client?: "the \(words) of the OAuth client \(client) (tastytoken client set \(client))"
        case nil: "the client's \(words) (\(keys) for the client default, tastytoken client set for another)"
        }
    }
}
