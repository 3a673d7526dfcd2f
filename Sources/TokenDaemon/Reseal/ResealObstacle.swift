// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import TokenCore

/// Why sealing anew would close rows to somebody who has to read them.
enum ResealObstacle: Hashable, Sendable {
    /// These daemons seal by another key, or by none: perhaps they do not have the one that seals now.
    case daemons([Sealer])
    /// These daemons write tokens of another environment, to which JWE are bound.
    case environment([Sealer])
    /// All values are sealed by the password that seals, but by the other digest: the application's.
    case digest

    /// Looks for what is in the way.
    ///
    /// - Parameters:
    ///   - sealing: the keys.
    ///   - environment: whose tokens these are, by the configuration.
    ///   - census: how the values are sealed now.
    ///   - sealers: the daemons that seal.
    /// - Returns: the first thing that is in the way.
    static func found(
        _ sealing: any ColumnSealing,
        in environment: TradeEnvironment,
        _ census: SealCensus,
        _ sealers: [Sealer]
    ) -> ResealObstacle? {
        let elsewhere = sealers.filter { $0.environment.map { $0 != environment } ?? false }
        if !elsewhere.isEmpty { return .environment(elsewhere.inOrder) }
        let others = sealers.filter { $0.keyID != sealing.sealingKeyID }
        // Who changed its key a minute ago seals by both.
        let owners = Set(sealers.filter { $0.keyID == sealing.sealingKeyID }.map(\.owner))
        let behind = others.filter { !owners.contains($0.owner) }
        if !behind.isEmpty { return .daemons(behind.inOrder) }
        guard let key = sealing.configuredKeys.first(where: \.seals), key.ids.count > 1 else { return nil }
        let values = census.sealed.filter { key.ids.contains($0.key.id) && $0.key.manner == .random }
        return !values.isEmpty && values.keys.allSatisfy { !$0.sealsNow } ? .digest : nil
    }

    /// What is in the way, and what to do.
    var lines: [String] {
        switch self {
        case .daemons(let daemons):
            daemons.map(\.complaint) + [
                "A daemon without the key cannot read what is sealed by it; --anyway does it all the same."
            ]
        case .environment(let daemons):
            daemons.map { "\($0.words) works for tastytrade.env \($0.environment?.rawValue ?? "")" } + [
                "This configuration has another (the environment's TASTYTRADE_ENV may be missing here): what it seals would not open "
                    + "there; --anyway does it all the same."
            ]
        case .digest:
            [
                "All values under the key that seals are by the other digest: set encryption.rails.hashDigest as the application has "
                    + "it, which may read no other; --anyway does it all the same."
            ]
        }
    }
}
