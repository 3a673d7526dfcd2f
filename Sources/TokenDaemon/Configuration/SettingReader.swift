// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Reads settings from their layers, the environment over the file over the defaults, and keeps account of what is
/// wrong.
///
/// A mistaken setting reads as its default, so that reading goes on and finds the other mistakes as well; the loader
/// gives no configuration out if there was any.
struct SettingReader {
    /// What can say something, from the topmost down.
    let layers: [SettingLayer]
    /// The folder of the service manager's credentials; nil if it passes none.
    let credentialsFolder: String?
    /// The folder that the service manager made for what the daemon keeps, the first if there are several; nil if it made
    /// none.
    let stateFolder: String?
    /// How files are read.
    let files: FileReading
    /// How users and groups are looked up.
    let names: NameDirectory
    /// What the configuration file says.
    let file: FileSettings
    /// The permission bits of the configuration file; nil if there is none.
    let fileMode: UInt32?
    /// What is wrong.
    private(set) var mistakes: [ConfigurationFinding]
    /// What is not wrong, but should be known.
    private(set) var warnings: [ConfigurationFinding] = []
    /// The values that hold, without secrets, in the order they were read.
    private(set) var effective: [EffectiveSetting] = []
    private var unsound: Set<String> = []

    /// Reads from the environment over the file; starts from the mistakes of the file itself. Of the environment nothing is
    /// kept but its layer and the service manager's folders.
    init(
        environment: [String: String],
        files: FileReading,
        names: NameDirectory,
        file: FileSettings,
        fileMode: UInt32?
    ) {
        self.layers = [.environment(environment), .file(file.values)]
        self.credentialsFolder = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 }
        self.stateFolder = environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        self.files = files
        self.names = names
        self.file = file
        self.fileMode = fileMode
        self.mistakes = file.mistakes
        self.unsound = Set(file.mistakes.compactMap(\.key)).union(file.ambiguous)
    }

    /// The setting of the topmost layer that has it, with its place; nil where only a default can hold.
    func setting(_ name: String) -> Setting? {
        let key = ConfigurationKey.named(name)
        return layers.lazy.compactMap { $0.setting(key) }.first
    }

    /// The environment variables that say something, in the order of the keys.
    var variables: [String] {
        ConfigurationKey.all.compactMap { key in
            if case .environment(let name) = place(of: key.name) { name } else { nil }
        }
    }

    /// Where the setting was found.
    func place(of name: String) -> SettingPlace { setting(name)?.place ?? .none }

    /// The value of a key that has a default.
    mutating func value<Value>(_ name: String, _ form: SettingForm<Value>) -> Value {
        let key = ConfigurationKey.named(name)
        guard let defaultText = key.defaultText, let standard = try? form.read(defaultText) else {
            preconditionFailure("the default of \(name) does not fit its own form")
        }
        guard let (text, value) = read(key, form) else {
            note(name, defaultText, number: Self.number(standard))
            return standard
        }
        note(name, text, number: Self.number(value))
        return value
    }

    /// The value of a key without a default; nil where nothing is said.
    mutating func optional<Value>(_ name: String, _ form: SettingForm<Value>) -> Value? {
        guard let (text, value) = read(.named(name), form) else { return nil }
        note(name, text)
        return value
    }

    /// The values of a list.
    mutating func list(_ name: String, _ form: SettingForm<String>, splittingSpaces: Bool) -> [String] {
        let key = ConfigurationKey.named(name)
        let standard = SettingValue.text(key.defaultText ?? "")
        let found = setting(name)
        let texts = (found?.value ?? standard).elements(splittingSpaces: splittingSpaces)
        if texts != standard.elements(splittingSpaces: splittingSpaces) { remarkOnEffect(key, found?.place) }
        if texts.isEmpty, let found {
            mistake(name, at: found.place, "is empty", "give it a value, or remove it")
        }
        let values = texts.compactMap { text in understand(text, key, form, at: found?.place ?? .none) }
        note(name, values.joined(separator: ","))
        return values
    }

    private static func number(_ value: some Any) -> Double? {
        value as? Double ?? (value as? Int).map(Double.init)
    }

    private mutating func read<Value>(_ key: ConfigurationKey, _ form: SettingForm<Value>) -> (String, Value)? {
        guard let found = setting(key.name), case .text(let text) = found.value else { return nil }
        if text != key.defaultText { remarkOnEffect(key, found.place) }
        return understand(text, key, form, at: found.place).map { (text, $0) }
    }

    private mutating func understand<Value>(
        _ text: String,
        _ key: ConfigurationKey,
        _ form: SettingForm<Value>,
        at place: SettingPlace
    ) -> Value? {
        guard !text.isEmpty else {
            mistake(key.name, at: place, "is empty", "give it a value, or remove it")
            return nil
        }
        do {
            return try form.read(text)
        } catch {
            mistake(key.name, at: place, "\"\(SafeText(text, toBytes: 80))\" \(error.problem)", error.remedy)
            return nil
        }
    }
}

extension SettingReader {
    /// Notes a mistake.
    mutating func mistake(_ name: String, at place: SettingPlace, _ problem: String, _ remedy: String) {
        unsound.insert(name)
        mistakes.append(ConfigurationFinding(place: place, key: name, problem: problem, remedy: remedy))
    }

    /// Notes a mistake at the place where the setting was found.
    mutating func mistake(_ name: String, _ problem: String, _ remedy: String) {
        mistake(name, at: place(of: name), problem, remedy)
    }

    /// Notes that settings which are each in order do not go together, unless one of them is mistaken already: a
    /// contradiction to a default that took a mistake's place would only confuse; so would one to a default in place of
    /// what stands in a file that could not be read. The first that is set is named as the place.
    mutating func require(_ holds: Bool, _ names: [String], _ problem: String, _ remedy: String) {
        guard !holds, file.isUnderstood, unsound.isDisjoint(with: names), let first = names.first else { return }
        let culprit = names.first { setting($0) != nil } ?? first
        mistake(culprit, problem, remedy)
    }

    /// Notes something that is no mistake.
    mutating func warn(_ name: String, at place: SettingPlace, _ problem: String, _ remedy: String) {
        warnings.append(ConfigurationFinding(place: place, key: name, problem: problem, remedy: remedy))
    }

    /// Notes a value that holds, of a key that this version acts on. Nothing secret may come here.
    mutating func note(_ name: String, _ text: String, number: Double? = nil, fingerprint: Int? = nil) {
        guard ConfigurationKey.named(name).takesEffect else { return }
        let text = SafeText(text, toBytes: SafeText.quotationLimit).text
        effective.append(EffectiveSetting(key: name, value: text, number: number, fingerprint: fingerprint))
    }

    /// Remarks on a key that somebody set, to something else than its default, and that this version does nothing with.
    mutating func remarkOnEffect(_ key: ConfigurationKey, _ place: SettingPlace?) {
        guard let place, !key.takesEffect else { return }
        warn(key.name, at: place, "has no effect in this version", "leave it for a later one, or remove it")
    }
}

/// One value that holds, in words.
package struct EffectiveSetting: Hashable, Sendable {
    /// The key.
    package let key: String
    /// The value as it is written; for a secret, only where it comes from.
    package let value: String
    /// The value, where it is a number without a unit.
    package let number: Double?
    /// Tells whether it is the same as another time, where the words do not: of a secret, and of rules. Valid within this
    /// process only.
    let fingerprint: Int?

    /// Whether the same holds by both.
    func holdsTheSame(as other: EffectiveSetting) -> Bool {
        guard fingerprint == nil, other.fingerprint == nil else { return fingerprint == other.fingerprint }
        return value == other.value
    }
}
