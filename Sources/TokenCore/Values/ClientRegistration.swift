// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Which of TastyTrade's two separate worlds a client belongs to (fact sheet section 1).
package enum TradeEnvironment: String, Sendable, CaseIterable {
    /// Real accounts.
    case production
    /// The certification environment ("cert").
    case sandbox

    /// Where calls go unless the configuration names another address.
    package var defaultAPIURL: String {
        switch self {
        case .production: "https://api.tastyworks.com"
        case .sandbox: "https://api.cert.tastyworks.com"
        }
    }
}

/// An OAuth client as TastyTrade registered it, with its secret.
package struct ClientRegistration: Hashable, Sendable {
    /// The name of the one that the configuration describes; no other has it.
    package static let configuredName = "default"

    /// The name under which operators know it.
    package let name: String
    /// The world it was registered in.
    package let environment: TradeEnvironment
    /// `client_id`; the endpoint does not need it for a refresh (fact sheet section 4.1).
    package let clientID: String?
    /// `client_secret`, without which no refresh is answered.
    package let clientSecret: Secret
    /// The base of the API, without a slash at its end; calls go to `{apiURL}/oauth/token`.
    package let apiURL: String

    /// Puts together what the configuration, or later the database, says of a client.
    package init(
        name: String,
        environment: TradeEnvironment,
        clientID: String?,
        clientSecret: Secret,
        apiURL: String
    ) {
        self.name = name
        self.environment = environment
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.apiURL = apiURL
    }

    /// Where an environment is called by a daemon whose configuration describes this client: where this one is, if it is the same
    /// environment.
    package func apiURL(of other: TradeEnvironment) -> String {
        other == environment ? apiURL : other.defaultAPIURL
    }

    /// The same client with another secret.
    package func with(_ secret: Secret) -> ClientRegistration {
        ClientRegistration(
            name: name,
            environment: environment,
            clientID: clientID,
            clientSecret: secret,
            apiURL: apiURL
        )
    }
}
