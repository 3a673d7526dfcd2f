// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What another look at the configuration found changed.
struct ConfigurationChange: Hashable {
    /// Keys whose new values take effect now.
    let live: [String]
    /// Keys whose new values need a restart.
    let needingRestart: [String]

    /// Whether other keys seal and open from now on.
    var hasKeys: Bool { live.contains { $0.hasPrefix("encryption.") } }

    /// Compares three looks.
    ///
    /// - Parameters:
    ///   - started: what the daemon was started with; still in force for all that needs a restart.
    ///   - current: what is in force for the rest.
    ///   - new: what was read now.
    init(from started: [EffectiveSetting], _ current: [EffectiveSetting], to new: [EffectiveSetting]) {
        live = Self.keys(current, new) { $0.isReloaded }
        needingRestart = Self.keys(started, new) { !$0.isReloaded }
    }

    private static func keys(
        _ old: [EffectiveSetting],
        _ new: [EffectiveSetting],
        _ isMeant: (ConfigurationKey) -> Bool
    ) -> [String] {
        let (old, new) = (values(old), values(new))
        return ConfigurationKey.all.filter(isMeant).map(\.name).filter { key in
            switch (old[key], new[key]) {
            case (nil, nil): false
            case (let before?, let after?): !after.holdsTheSame(as: before)
            default: true
            }
        }
    }

    private static func values(_ settings: [EffectiveSetting]) -> [String: EffectiveSetting] {
        Dictionary(settings.map { ($0.key, $0) }) { $1 }
    }
}
