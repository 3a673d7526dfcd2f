// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What can be known of the scopes that are asked for.
package enum ScopeInspection {
    /// What people write where they mean another scope; the first is from a gem for Ruby (fact sheet section 2).
    private static let meant: [String: KnownScope] = [
        "readonly": .read, "read-only": .read, "read_only": .read, "trading": .trade, "write": .trade,
        "open_id": .openid, "oidc": .openid,
    ]

    /// What is wrong with scopes, or may be.
    ///
    /// - Parameter scopes: the scopes, each by itself.
    /// - Returns: a finding for each that TastyTrade is not known to have, and for each that stands twice.
    package static func findings(_ scopes: [String]) -> [Finding] {
        var seen: Set<String> = []
        return scopes.compactMap { scope in
            seen.insert(scope).inserted ? unknown(scope) : repeated(scope)
        }
    }

    private static let quotation = Quotation(hiding: [])
    private static let known = KnownScope.allCases.map(\.rawValue).joined(separator: ", ")

    private static func unknown(_ scope: String) -> Finding? {
        guard KnownScope(rawValue: scope) == nil else { return nil }
        let lowercased = scope.lowercased()
        let meant = meant[lowercased] ?? KnownScope(rawValue: lowercased)
        return Finding(
            .scopeUnknown,
            "TastyTrade is not known to have a scope \(quotation.word(scope)): it has \(known).",
            remedy: meant.map { "Write \($0.rawValue)." }
                ?? "Write one of those; TastyTrade may refuse the whole request for one that it does not know."
        )
    }

    private static func repeated(_ scope: String) -> Finding {
        Finding(.scopeRepeated, "The scope \(quotation.word(scope)) is asked for twice.", remedy: "Write it once.")
    }
}
