// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// How secrets are found: the value itself or a file that holds it, in the environment or in the configuration file,
/// else a credential of the service manager (product.md, Configuration).
extension SettingReader {
    /// A secret of one line.
    mutating func secret(_ name: String, file hasFile: Bool = true, credential: String? = nil) -> Secret? {
        guard let found = secretText(name, hasFile: hasFile, credential: credential) else { return nil }
        guard let text = understandSecret(found.text, name, at: found.place) else { return nil }
        let secret = Secret(text)
        note(name, "(from \(found.place))", fingerprint: secret.fingerprint)
        return secret
    }

    /// Several secrets: a list, or a text with commas or line breaks between them.
    mutating func secrets(_ name: String, credential: String?) -> [Secret] {
        guard let found = secretText(name, hasFile: true, credential: credential) else { return [] }
        let texts = found.text.split { $0 == "," || $0.isNewline }.map(String.init)
        if texts.isEmpty { mistake(name, at: found.place, "is empty", "put the secrets in, or remove it") }
        note(name, "(\(texts.count) from \(found.place))", fingerprint: Secret(found.text).fingerprint)
        return texts.compactMap { understandSecret($0, name, at: found.place).map { Secret($0) } }
    }

    /// The text of a file of secrets that the key names, or else of a credential, with its place; nil if there is neither, or it
    /// cannot be read.
    mutating func secretFile(_ name: String, credential: String) -> (text: String, place: SettingPlace)? {
        let key = ConfigurationKey.named(name)
        for case let path? in layers.lazy.map({ $0.setting(key) }) {
            return secretFile(name, path.value.joined, path.place)
        }
        return fromCredential(name, credential)
    }

    private mutating func understandSecret(_ text: String, _ name: String, at place: SettingPlace) -> String? {
        guard !text.isEmpty else {
            mistake(name, at: place, "is empty", "put the secret in, or remove it")
            return nil
        }
        do {
            return try SettingForm.text.read(text)
        } catch {
            mistake(name, at: place, error.problem, error.remedy)
            return nil
        }
    }

    private typealias Found = (text: String, place: SettingPlace)

    /// The topmost layer's text and its place. A layer that names both the value and a file contradicts itself.
    private mutating func secretText(_ name: String, hasFile: Bool, credential: String?) -> Found? {
        let key = ConfigurationKey.named(name)
        let fileKey = hasFile ? ConfigurationKey.named(name + "File") : nil
        for layer in layers {
            switch (layer.setting(key), fileKey.flatMap(layer.setting)) {
            case (nil, nil):
                continue
            case (let value?, _?):
                mistake(name, at: value.place, "is given as well as \(name)File", "keep one of the two")
                return nil
            case (let value?, nil):
                remarkOnEffect(key, value.place)
                remarkOnOpenness(name, value.place)
                return (value.value.joined, value.place)
            case (nil, let path?):
                remarkOnEffect(.named(name + "File"), path.place)
                return secretFile(name + "File", path.value.joined, path.place)
            }
        }
        return credential.flatMap { fromCredential(name, $0) }
    }

    private mutating func remarkOnOpenness(_ name: String, _ place: SettingPlace) {
        guard case .file = place, let fileMode, fileMode & 0o007 != 0 else { return }
        warn(name, at: place, "stands in a file that everybody may read", "chmod o= \(file.path)")
    }

    private mutating func secretFile(_ name: String, _ path: String, _ place: SettingPlace) -> Found? {
        do {
            let path = try SettingForm.path.read(path)
            let contents = try readSecret(path)
            // A group of its own is how a file of root's comes to be read by the daemon.
            if contents.mode & 0o007 != 0 {
                warn(name, at: .file(path, line: nil), "may be read by everybody", "chmod o= \(path)")
            }
            return try (Self.text(of: contents), .file(path, line: nil))
        } catch {
            mistake(name, at: place, "\"\(SafeText(path, toBytes: 80))\" \(error.problem)", error.remedy)
            return nil
        }
    }

    /// The service manager keeps its credentials from others itself; their mode says nothing (it may show an ACL's
    /// mask).
    private mutating func fromCredential(_ name: String, _ credential: String) -> Found? {
        guard let credentialsFolder else { return nil }
        let path = "\(credentialsFolder)/\(credential)"
        do throws(SettingComplaint) {
            return try (Self.text(of: readSecret(path)), .file(path, line: nil))
        } catch {
            if error == Self.missing { return nil }
            mistake(name, at: .file(path, line: nil), error.problem, error.remedy)
            return nil
        }
    }

    private static let missing = SettingComplaint("does not exist", "create it, or correct the path")

    private func readSecret(_ path: String) throws(SettingComplaint) -> FileReading.Contents {
        do {
            return try files.read(path, 64 * 1024)
        } catch {
            switch error {
            case .missing: throw Self.missing
            case .unreadable(let reason):
                throw SettingComplaint("cannot be read (\(reason))", "let the daemon's user read it")
            }
        }
    }

    /// The text without the line breaks that editors and `echo` leave at the end.
    private static func text(of contents: FileReading.Contents) throws(SettingComplaint) -> String {
        guard let text = String(validating: contents.bytes, as: UTF8.self) else {
            throw SettingComplaint("is not UTF-8 text", "put nothing but the secret in it")
        }
        return String(text.reversed().drop { $0.isNewline }.reversed())
    }
}
