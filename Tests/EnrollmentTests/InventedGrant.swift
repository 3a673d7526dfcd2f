// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Refresh tokens that say whose they are, as TastyTrade's do; nobody signed them.
enum InventedGrant {
    static func token(of login: String, _ grant: String) -> String {
        let header = #"{"typ":"rt+jwt","alg":"EdDSA"}"#
        let claims =
            #"{"sub":"\#(login)","grant_id":"\#(grant)","aud":"\#(ConnectorFixture.registration.clientID ?? "")","scope":"read trade"}"#
        return "\(encoded(header)).\(encoded(claims)).\(String(repeating: "A", count: 86))"
    }

    private static func encoded(_ text: String) -> String {
        String(decoding: Base64Text.url.encode(Array(text.utf8)), as: UTF8.self)
    }
}
