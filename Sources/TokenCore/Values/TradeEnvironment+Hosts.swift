// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension TradeEnvironment {
    /// The one of the two worlds that this is not.
    package var other: TradeEnvironment { self == .production ? .sandbox : .production }

    /// The page on which people authorise an application, unless the configuration names another (fact sheet section 1).
    package var defaultAuthorizeURL: String {
        switch self {
        case .production: "https://my.tastytrade.com/auth.html"
        case .sandbox: "https://cert-my.staging-tasty.works/auth.html"
        }
    }

    /// The hosts of its API that are on TastyTrade's own list (fact sheet section 1).
    package var apiHosts: Set<String> {
        switch self {
        case .production: ["api.tastyworks.com"]
        case .sandbox: ["api.cert.tastyworks.com", "api.sandbox.tastytrade.com"]
        }
    }

    /// A host that is its own by common use, but on no official list (fact sheet section 1).
    package var apiHostAliases: Set<String> {
        switch self {
        case .production: ["api.tastytrade.com"]
        case .sandbox: []
        }
    }
}
