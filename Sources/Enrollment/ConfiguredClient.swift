// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// The OAuth client that the configuration describes.
package struct ConfiguredClient: Sendable {
    /// The client as calls need it.
    package let registration: ClientRegistration
    /// The page on which people authorise it.
    package let authorizeURL: String
    /// Where that page sends people back to.
    package let redirectURI: String
    /// What it asks for.
    package let scopes: [String]

    /// Takes what the configuration says.
    package init(
        _ registration: ClientRegistration,
        authorizeURL: String,
        redirectURI: String,
        scopes: [String]
    ) {
        self.registration = registration
        self.authorizeURL = authorizeURL
        self.redirectURI = redirectURI
        self.scopes = scopes
    }

    /// The same client with another secret.
    func with(_ secret: Secret) -> ConfiguredClient {
        ConfiguredClient(
            registration.with(secret),
            authorizeURL: authorizeURL,
            redirectURI: redirectURI,
            scopes: scopes
        )
    }

    /// The page on which people authorise a client of an environment: this one's, if it is the same.
    func authorizeURL(of environment: TradeEnvironment) -> String {
        environment == registration.environment ? authorizeURL : environment.defaultAuthorizeURL
    }
}
