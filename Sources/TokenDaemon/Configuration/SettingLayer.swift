// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Configuration

/// One layer of settings: what swift-configuration finds in it, and where an operator would look for that.
///
/// Each layer is asked by itself and not through a `ConfigReader`, which does not tell the layer that a value came from.
struct SettingLayer: Sendable {
    private let snapshot: any ConfigSnapshot
    private let place: @Sendable (_ encodedKey: String) -> SettingPlace

    /// The environment: `tastytrade.clientId` is `TASTYTRADE_CLIENT_ID`. All of it counts as secret, other programs'
    /// variables included.
    static func environment(_ variables: [String: String]) -> SettingLayer {
        let provider = EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .all)
        return SettingLayer(snapshot: provider.snapshot(), place: SettingPlace.environment)
    }

    /// The configuration file.
    static func file(_ snapshot: FileSnapshot) -> SettingLayer {
        SettingLayer(snapshot: snapshot, place: snapshot.place(of:))
    }

    /// What stands behind a key, with its place; nil if this layer does not have the key.
    func setting(_ key: ConfigurationKey) -> Setting? {
        let answer = answer(to: AbsoluteConfigKey(ConfigKey(key.name)))
        switch answer.value?.content {
        case nil: return nil
        case .string(let text): return Setting(value: .text(text), place: place(answer.encodedKey))
        case .stringArray(let texts): return Setting(value: .list(texts), place: place(answer.encodedKey))
        default: preconditionFailure("\(snapshot.providerName) gave neither text nor list for \(key.name)")
        }
    }

    /// Asks for a text first, whatever the key is. A provider that is asked for more takes a list apart at commas alone,
    /// takes `yes` for true, and names no remedy for what it cannot convert; that is left to `SettingValue` and `SettingForm`.
    private func answer(to key: AbsoluteConfigKey) -> LookupResult {
        if let text = try? snapshot.value(forKey: key, type: .string) { return text }
        guard let list = try? snapshot.value(forKey: key, type: .stringArray) else {
            preconditionFailure("\(snapshot.providerName) has neither text nor list for \(key)")
        }
        return list
    }
}

extension SettingLayer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What kind of layer it is.
    var description: String { snapshot.providerName }

    /// No more than the description, since values may be secrets.
    var debugDescription: String { description }

    /// A mirror without children, so that reflection finds no value: swift-configuration hides them from descriptions only.
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a layer says about one key.
struct Setting: Hashable {
    /// What is written.
    let value: SettingValue
    /// Where.
    let place: SettingPlace
}

/// A setting as it was written, before anything is made of it.
enum SettingValue: Hashable, Sendable {
    /// One text.
    case text(String)
    /// A list, as only the file can write one.
    case list([String])

    /// The texts, those of a single one split at commas and at white space where `spaces` says so.
    func elements(splittingSpaces spaces: Bool) -> [String] {
        switch self {
        case .list(let texts):
            texts
        case .text(let text):
            text.split { $0 == "," || (spaces && $0.isWhitespace) }.map { $0.trimmingSpaces() }
        }
    }

    /// The text, that of a list as the environment would have it.
    var joined: String {
        switch self {
        case .text(let text): text
        case .list(let texts): texts.joined(separator: ",")
        }
    }
}

extension Substring {
    /// The text without white space at its ends.
    fileprivate func trimmingSpaces() -> String {
        let head = drop { $0.isWhitespace }
        return String(head.reversed().drop { $0.isWhitespace }.reversed())
    }
}
