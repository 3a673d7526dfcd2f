// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Configuration

/// The flat values of the configuration file, as swift-configuration asks for them.
///
/// The package's own snapshot of a YAML file does not keep lines.
struct FileSnapshot {
    /// A value, or a list of values.
    struct Entry {
        /// The text or texts as written, before anything is made of them.
        let value: SettingValue
        /// The line of the value.
        let line: Int?
    }

    /// The file's path, as it is named in findings.
    let path: String
    /// Values by key.
    var entries: [String: Entry] = [:]

    /// Where the key stands, as far as it does.
    func place(of name: String) -> SettingPlace {
        .file(path, line: entries[name]?.line)
    }
}

extension FileSnapshot: ConfigSnapshot {
    /// Something else stands there than what was asked for.
    struct Mismatch: Error, Hashable {
        /// The key's name.
        let name: String
        /// What was asked for.
        let type: ConfigType
    }

    /// What kind of layer it is.
    var providerName: String { "configuration file" }

    /// Gives a text for `.string` and a list for `.stringArray`, each only where it was written as such. All of it counts
    /// as secret, since a secret may stand in the wrong place.
    func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws(Mismatch) -> LookupResult {
        let name = key.components.joined(separator: ".")
        let content: ConfigContent
        switch (entries[name]?.value, type) {
        case (nil, _): return LookupResult(encodedKey: name, value: nil)
        case (.text(let text), .string): content = .string(text)
        case (.list(let texts), .stringArray): content = .stringArray(texts)
        default: throw Mismatch(name: name, type: type)
        }
        return LookupResult(encodedKey: name, value: ConfigValue(content, isSecret: true))
    }
}

extension FileSnapshot: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The file's path.
    var description: String { path }

    /// The path: the debug form is as safe as the plain one.
    var debugDescription: String { path }

    /// A mirror without children, so that reflection finds no value.
    var customMirror: Mirror { Mirror(self, children: []) }
}
