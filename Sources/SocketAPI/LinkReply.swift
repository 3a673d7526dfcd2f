// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A link to the web pages that is good once, as the API tells it. Whoever has it may use it.
package struct LinkReply: Hashable, Sendable, Decodable {
    /// The whole address.
    package let link: String
    /// Until when it is good, RFC 3339.
    package let expiresAt: String

    /// The names of the fields on the wire.
    package enum CodingKeys: String, CodingKey {
        case link
        case expiresAt = "expires_at"
    }
}

extension APIPath {
    /// `POST`: a link that signs an operator in to the web pages.
    package static let consoleLinks = "/v1/console-links"
}
