// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TokenCore

/// A host's name as it stands in an address: `iss` of a token, or where calls go.
struct KnownHost: Hashable {
    /// In lower case, without a dot at its end.
    let name: String

    /// The host of an address; nil if it is none.
    init?(ofAddress address: String) {
        guard let components = URLComponents(string: address), components.scheme != nil,
            let host = components.host, !host.isEmpty
        else { return nil }
        let name = host.lowercased()
        self.name = name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    /// The world it belongs to; nil if it is not known to belong to either.
    var environment: TradeEnvironment? {
        TradeEnvironment.allCases.first { environment in
            environment.apiHosts.contains(name) || environment.apiHostAliases.contains(name)
                || Self.issuers(environment).contains(name)
        }
    }

    /// Whether it is this machine, whatever a name server says.
    var isLoopback: Bool {
        if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Names of the sandbox at which nobody answers; the first is what its tokens give as their issuer (fact sheet sections 1
    /// and 5).
    private static func issuers(_ environment: TradeEnvironment) -> Set<String> {
        switch environment {
        case .production: []
        case .sandbox: ["api.sandbox.tastyworks.com", "api.cert.tastytrade.com"]
        }
    }
}
