// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension APIPath {
    /// `GET`: the OAuth clients; each of them stands below it.
    package static let clients = "/v1/clients"

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
}
