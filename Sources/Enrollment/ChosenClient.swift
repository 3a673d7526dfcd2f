// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The OAuth client that a grant is connected with.
struct ChosenClient: Sendable {
    /// As it is noted beside the row; nil is the configuration's.
    let storedName: String?
    /// As calls need it.
    let registration: ClientRegistration
    /// The page on which people authorise it.
    let authorizeURL: String
    /// Where that page sends people back to.
    let redirectURI: String
    /// What it asks for.
    let scopes: [String]
    /// When its secret was last replaced, where that is known.
    let secretChangedAt: WallTime?

    /// The configuration's.
    init(_ configured: ConfiguredClient) {
        storedName = nil
        registration = configured.registration
        authorizeURL = configured.authorizeURL
        redirectURI = configured.redirectURI
        scopes = configured.scopes
        secretChangedAt = nil
    }

    /// One of the database.
    ///
    /// - Parameters:
    ///   - stored: the client.
    ///   - configured: the configuration's, which says where the environment is called that both are of.
    /// - Throws: why no call can be made for it.
    init(_ stored: StoredClient, beside configured: ConfiguredClient) throws(EnrollmentFailure) {
        if case .failure(let error) = stored.clientSecret {
            throw EnrollmentFailure(
                error == .noSealingKey ? .noSealingKey : .unavailable,
                "The secret of the OAuth client \(stored.name) cannot be had: \(error)."
            )
        }
        storedName = stored.name
        registration = ClientRegistration(stored, apiURL: configured.registration.apiURL(of: stored.environment))
        authorizeURL = configured.authorizeURL(of: stored.environment)
        redirectURI = stored.redirectURI
        scopes = stored.scopes
        secretChangedAt = stored.secretChangedAt
    }
}
