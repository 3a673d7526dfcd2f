// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension APIPath {
    /// `GET`: the OAuth clients; each of them stands below it.
    package static let clients = "/v1/clients"

    /// Below it stands each state, for its authorization to be finished.
    package static let authorizations = "/v1/authorizations"

    /// `POST`: begins to connect the user's account on TastyTrade's page.
    ///
    /// - Parameter user: whose.
    /// - Returns: the path.
    package static func authorizations(of user: String) -> String {
        status(of: user) + "/authorizations"
    }

    /// `POST`: a link to the daemon's own pages that begins there what ``authorizations(of:)`` begins over the socket.
    ///
    /// - Parameter user: whose.
    /// - Returns: the path.
    package static func authorizationLinks(of user: String) -> String {
        status(of: user) + "/authorization-links"
    }

    /// `POST`: finishes an authorization.
    ///
    /// - Parameter state: the state that came back from TastyTrade's page.
    /// - Returns: the path.
    package static func authorization(_ state: String) -> String {
        "\(authorizations)/\(PercentCoding.encode(state))"
    }

    /// `PUT`, `DELETE`: the user's grant.
    ///
    /// - Parameter user: whose.
    /// - Returns: the path.
    package static func grant(of user: String) -> String {
        status(of: user) + "/grant"
    }

    /// `PUT`, `DELETE`: an OAuth client.
    ///
    /// - Parameter name: the client's.
    /// - Returns: the path.
    package static func client(_ name: String) -> String {
        "\(clients)/\(PercentCoding.encode(name))"
    }
}

/// The members of the bodies that connect accounts.
package enum EnrollmentField {
    /// The refresh token that was made by hand.
    package static let refreshToken = "refresh_token"
    /// The name of the OAuth client that it was made for.
    package static let client = "client"
    /// Sentences on what is worth knowing though it worked.
    package static let notes = "notes"
    /// An OAuth client's secret; in requests only.
    package static let clientSecret = "client_secret"
    /// Where on TastyTrade's page a person is to be sent.
    package static let authorizationURL = "authorization_url"
    /// What comes back from there.
    package static let state = "state"
    /// Until when it must be back.
    package static let expiresAt = "expires_at"
    /// The code that came back with a state.
    package static let code = "code"
    /// The word that came back in the place of a code (RFC 6749 section 4.1.2.1).
    package static let error = "error"
}
