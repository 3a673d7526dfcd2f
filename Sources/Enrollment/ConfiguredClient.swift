// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// The OAuth client that the configuration describes.
package struct ConfiguredClient: Sendable {
    /// The client as calls need it.
    package let registration: ClientRegistration
    /// Where the authorize page sends people back to.
    package let redirectURI: String
    /// What it asks for.
    package let scopes: [String]

    /// Takes what the configuration says.
    package init(_ registration: ClientRegistration, redirectURI: String, scopes: [String]) {
        self.registration = registration
        self.redirectURI = redirectURI
        self.scopes = scopes
    }

    /// The same with another secret.
    func with(_ secret: Secret) -> ConfiguredClient {
        ConfiguredClient(registration.with(secret), redirectURI: redirectURI, scopes: scopes)
    }
}
