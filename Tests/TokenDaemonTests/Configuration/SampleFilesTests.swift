// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing
import TokenCore
import TokenDaemon
import Yams

/// The files under `config/` are checked against the code.
@Suite struct SampleFilesTests {
    /// A file of the package's folder: this file is four steps below it.
    private func document(_ path: String, file: String = #filePath) throws -> String {
        let root = (0..<4).reduce(URL(filePath: file)) { url, _ in url.deletingLastPathComponent() }
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private func text(_ name: String) throws -> String { try document("config/\(name)") }

    /// Values by dotted name.
    private func flatten(_ node: Node, _ prefix: String = "") -> [String: String] {
        guard let mapping = node.mapping, ConfigurationKey.all.allSatisfy({ $0.name + "." != prefix }) else {
            let texts = node.sequence.map { $0.compactMap(\.scalar?.string) } ?? [node.scalar?.string ?? ""]
            return [String(prefix.dropLast()): texts.joined(separator: " ")]
        }
        return mapping.reduce(into: [:]) { result, pair in
            result.merge(flatten(pair.value, "\(prefix)\(pair.key.scalar?.string ?? "").")) { $1 }
        }
    }

    private func values(_ text: String) throws -> [String: String] {
        let trees = ConfigurationKey.all.filter { $0.shape == .tree }.map(\.name)
        // A section whose keys are all remarks is empty, and is no key.
        return try flatten(#require(try Yams.compose(yaml: text))).filter {
            !$0.value.isEmpty || trees.contains($0.key)
        }
    }

    private func showsEveryDefault(_ file: String) throws -> Bool {
        let defaults = ConfigurationKey.all.compactMap { key in key.defaultText.map { (key.name, $0) } }
        return try values(file) == Dictionary(uniqueKeysWithValues: defaults)
    }

    @Test func fullFileShowsEveryDefaultOfTheCode() throws {
        #expect(try showsEveryDefault(text("config.yaml")))
    }

    /// The checks above and below can fail: they do for a file in which any one key is missing, or is at another value.
    @Test func aFileThatLacksAKeyOrDiffersFromADefaultIsFound() throws {
        let lines = try text("config.yaml").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var seen = 0
        for (index, line) in lines.enumerated() where line.contains(/^ *#?[a-z][A-Za-z]*: \S/) {
            seen += 1
            let without = lines.enumerated().filter { $0.offset != index }.map(\.element).joined(separator: "\n")
            #expect(try !showsEveryDefault(without) || !showsEveryKey(without), "\(line)")
            guard !line.contains("#") else { continue }
            let other = (lines[..<index] + [line + "0"] + lines[(index + 1)...]).joined(separator: "\n")
            #expect(try line.hasSuffix("]") || !showsEveryDefault(other), "\(line)")
        }
        #expect(seen == ConfigurationKey.all.count)
    }

    @Test func fullFileShowsEveryKeyThatHasNoDefault() throws {
        #expect(try showsEveryKey(text("config.yaml")))
    }

    private func showsEveryKey(_ file: String) throws -> Bool {
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        // A line that begins with # and a key right behind it is a key without a default; a remark has a space there.
        let opened = lines.map { line -> String in
            let isKey = line.drop { $0 == " " }.starts(with: /#[a-z][A-Za-z]*:/)
            return String(isKey ? line.replacing("#", with: "", maxReplacements: 1) : line)
        }
        let names = try values(opened.joined(separator: "\n")).keys
        return Set(names) == Set(ConfigurationKey.all.map(\.name))
    }

    @Test func everyKeyOfTheFullFileHasASentenceAboveIt() throws {
        let lines = try text("config.yaml").split(separator: "\n").map { $0.drop { $0 == " " } }
        for (above, line) in zip(lines, lines.dropFirst()) where line.contains(/^#?[a-z][A-Za-z]*: \S/) {
            #expect(above.hasPrefix("# ") && above.hasSuffix("."), "\(line)")
        }
    }

    @Test func fullFileLoadsAndSaysNothing() throws {
        let loaded = try ConfigurationFixture(text("config.yaml")).load()
        #expect(loaded.warnings.isEmpty)
        let bare = try ConfigurationFixture().load()
        #expect(loaded.effectiveNonSecretValues.map(\.key) == bare.effectiveNonSecretValues.map(\.key))
    }

    @Test func theReadmeNamesWhatAReloadTakesUp() throws {
        let paragraphs = try document("README.md").components(separatedBy: "\n\n")
        let paragraph = try #require(paragraphs.first { $0.hasPrefix("`systemctl reload`") })
        let named = Set(paragraph.matches(of: /`([a-zA-Z.]+)`/).map { String($0.1) })
        let keys = ConfigurationKey.all.filter(\.isReloaded).map(\.name)
        let words = keys.filter { $0 != "tastytrade.clientSecret" }
            .map { $0.hasPrefix("refresh.") ? String($0.dropFirst("refresh.".count)) : $0 }
        #expect(named.subtracting(["refresh"]) == Set(words))
    }

    @Test func minimalFileLoads() throws {
        var fixture = ConfigurationFixture(try text("config.minimal.yaml"))
        fixture.environment = ["CREDENTIALS_DIRECTORY": "/run/credentials/tastytokend.service"]
        fixture.put("/run/credentials/tastytokend.service/tastytrade-client-secret", "s\n", mode: 0o400)
        let loaded = try fixture.load()
        #expect(loaded.configuration.tastytrade.client?.clientSecret.reveal() == "s")
        #expect(loaded.warnings.isEmpty)
    }
}
