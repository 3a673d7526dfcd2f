// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Somebody who was sent to TastyTrade's page and is expected back with a code.
package struct PendingAuthorization: Hashable, Sendable {
    /// Where an authorization was begun; there it must end.
    package enum Origin: Hashable, Sendable {
        /// Over the socket, by somebody who may connect accounts there.
        case socket
        /// In a browser, which has a secret of this hash in a cookie: no other browser may finish it (hard case H32).
        case browser(SecretHash)
    }

    /// How long it is waited for, by the database's clock.
    package static let lifetime: Duration = .seconds(600)
    /// How many of one user are waited for; the oldest gives way.
    package static let mostOfOneUser = 20

    /// The hash of the state that comes back with the code.
    package let stateHash: SecretHash
    /// Whose account is to be connected.
    package let user: UserID
    /// The name of the OAuth client; nil is the configuration's.
    package let client: String?
    /// Where it was begun.
    package let origin: Origin
    /// Where TastyTrade was told to send the person back to; the exchange must name the same.
    package let redirectURI: String

    /// Puts together what has to be known when somebody comes back.
    package init(stateHash: SecretHash, user: UserID, client: String?, origin: Origin, redirectURI: String) {
        self.stateHash = stateHash
        self.user = user
        self.client = client
        self.origin = origin
        self.redirectURI = redirectURI
    }
}
