// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// One key of the configuration (product.md, Configuration).
package struct ConfigurationKey: Hashable, Sendable {
    /// What may stand behind a key in the file.
    package enum Shape: Hashable, Sendable {
        /// One value.
        case scalar
        /// A list of values; in the environment, separated by commas.
        case list
        /// Something with a structure of its own, which has no form in the environment.
        case tree
    }

    /// The dotted name, as in `refresh.at`. swift-configuration makes the variable's name of it (`SettingLayer`).
    package let name: String
    /// What may stand behind it.
    package let shape: Shape
    /// What holds where nothing is said; nil where that depends on other keys, or is nothing.
    package let defaultText: String?
    /// Whether this version does anything with it. One that does not is checked all the same, and its use is remarked
    /// on.
    package let takesEffect: Bool

    /// Whether a change of it takes effect at SIGHUP; of the others, only at a restart.
    package var isReloaded: Bool { Self.reloaded.contains(name) }
}

extension ConfigurationKey {
    /// Every key there is, in the order of the contract.
    package static let all: [ConfigurationKey] =
        tastytrade + database + encryption + refresh + local + outward

    /// The key of that name. The name must be one of the table's: asking for another is a mistake in the code.
    static func named(_ name: String) -> ConfigurationKey {
        guard let key = byName[name] else { preconditionFailure("no configuration key is called \(name)") }
        return key
    }

    /// The keys by their names.
    static let byName: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// What can change at run time (product.md, Configuration): who may do what, how much is written, how fast tokens are
    /// refreshed, and the client's secret.
    private static let reloaded: Set<String> = [
        "access", "log.level", "log.audit", "log.auditSample", "tastytrade.clientSecret", "refresh.at",
        "refresh.jitter", "refresh.maxInFlight",
        "refresh.maxPerSecond", "refresh.backoffInitial", "refresh.backoffMax", "refresh.dailyBudgetPerUser",
        "encryption.jwe.keysFile", "encryption.rails.primaryKeys", "encryption.rails.deterministicKey",
        "encryption.rails.keyDerivationSalt", "encryption.rails.hashDigest", "encryption.rails.storeKeyReferences",
    ]

    private static func key(
        _ name: String,
        _ defaultText: String? = nil,
        shape: Shape = .scalar,
        takesEffect: Bool = true
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, shape: shape, defaultText: defaultText, takesEffect: takesEffect)
    }

    private static func later(
        _ name: String,
        _ defaultText: String? = nil,
        shape: Shape = .scalar
    ) -> ConfigurationKey {
        key(name, defaultText, shape: shape, takesEffect: false)
    }

    private static let tastytrade = [
        key("tastytrade.env", "production"),
        key("tastytrade.clientId"),
        key("tastytrade.clientSecret"),
        key("tastytrade.clientSecretFile"),
        key("tastytrade.apiUrl"),
        key("tastytrade.allowUnlistedHost", "false"),
        key("tastytrade.authorizeUrl"),
        key("tastytrade.redirectUri", "http://localhost:3000/tastytrade/oauth/callback"),
        key("tastytrade.scopes", "read trade openid", shape: .list),
        key("tastytrade.caFile"),
    ]

    private static let database = [
        key("database.url"),
        key("database.urlFile"),
        key("database.listenUrl"),
        key("database.table", "users"),
        key("database.columns.id", "id"),
        key("database.columns.accessToken", "tastytrade_oauth_token"),
        key("database.columns.refreshToken", "tastytrade_oauth_refresh_token"),
        key("database.columns.expiresAt", "tastytrade_oauth_expires_at"),
        key("database.reconcileEvery", "60s"),
    ]

    private static let encryption = [
        key("encryption.mode", "none"),
        key("encryption.jwe.keysFile"),
        key("encryption.rails.primaryKeys", shape: .list),
        key("encryption.rails.primaryKeysFile"),
        key("encryption.rails.deterministicKey"),
        key("encryption.rails.deterministicKeyFile"),
        key("encryption.rails.keyDerivationSalt"),
        key("encryption.rails.keyDerivationSaltFile"),
        key("encryption.rails.hashDigest", "sha256"),
        key("encryption.rails.storeKeyReferences", "false"),
    ]

    private static let refresh = [
        key("refresh.at", "0.6"),
        key("refresh.jitter", "0.1"),
        key("refresh.maxInFlight", "64"),
        key("refresh.maxPerSecond", "20"),
        key("refresh.connectTimeout", "5s"),
        key("refresh.timeout", "30s"),
        key("refresh.backoffInitial", "1s"),
        key("refresh.backoffMax", "60s"),
        key("refresh.claimFor", "90s"),
        key("refresh.withoutDatabase", "auto"),
        key("refresh.keepGrants", "50000"),
        key("refresh.dailyBudgetPerUser", "300"),
    ]

    private static let local = [
        key("journal.path"),
        key("socket.path", "/run/tastytokend/api.sock"),
        key("socket.mode", "0660"),
        key("socket.group"),
        later("socket.credentialsPath"),
        key("access", shape: .tree),
        later("notify", shape: .tree),
    ]

    private static let outward = [
        key("web.enabled", "true"),
        key("web.listen", "127.0.0.1:3000"),
        key("web.publicUrl", "http://localhost:3000"),
        key("web.allowRemote", "false"),
        key("metrics.listen"),
        key("log.level", "info"),
        key("log.format"),
        key("log.audit", "true"),
        key("log.auditSample", "1"),
    ]
}
