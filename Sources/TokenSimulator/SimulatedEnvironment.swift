// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Which of TastyTrade's two worlds a simulator stands in for. Tokens of the one are none in the other.
package enum SimulatedEnvironment: String, Hashable, Sendable, CaseIterable {
    /// Real money.
    case production
    /// The sandbox, also called "cert".
    case sandbox

    /// `iss` of its tokens. Production's is not the host that is called; the sandbox's was never seen, and is taken to be its
    /// API's host (fact sheet section 5).
    package var issuer: String {
        switch self {
        case .production: "https://api.tastytrade.com"
        case .sandbox: "https://api.cert.tastyworks.com"
        }
    }
}
