// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension GrantReport {
    /// An account of which there is nothing more to say.
    package static func sample(
        _ user: String,
        _ status: GrantStatus = .active,
        client: String = "default"
    ) -> GrantReport {
        GrantReport(
            user: UserID(user),
            status: status,
            environment: .sandbox,
            client: client,
            expiresAt: nil,
            lastRefreshedAt: nil,
            nextRefreshAt: nil,
            consecutiveFailures: 0,
            lastError: nil
        )
    }
}

extension ClientListing {
    /// The configuration's client, as it is listed.
    package static func sample(obstacle: String? = nil) -> ClientListing {
        ClientListing(
            name: ClientRegistration.configuredName,
            environment: .production,
            clientID: nil,
            redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
            scopes: ["read", "trade"],
            secretChangedAt: nil,
            accounts: 7,
            obstacle: obstacle
        )
    }
}
