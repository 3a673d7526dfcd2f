// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// What is asked on TastyTrade's page (RFC 6749 section 4.1.1; fact sheet section 3). There is no PKCE: TastyTrade knows it nowhere.
struct AuthorizationRequest {
    /// The page, which may have a query of its own.
    let page: String
    /// `client_id`.
    let clientID: String
    /// `redirect_uri`, to the letter as it is registered.
    let redirectURI: String
    /// `scope`.
    let scopes: [String]

    /// The address to which a person is sent.
    ///
    /// - Parameter state: what is to come back.
    /// - Returns: the address; it holds the state, and so is good once.
    func url(state: Secret) -> Secret {
        let parameters = [
            ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURI),
            ("scope", scopes.joined(separator: " ")), ("state", state.reveal()),
        ]
        let query = parameters.filter { !$0.1.isEmpty }.map { "\($0.0)=\(PercentCoding.encode($0.1))" }
        return Secret("\(page)\(page.contains("?") ? "&" : "?")\(query.joined(separator: "&"))")
    }
}
