// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A configuration together with what should be said about it at start.
package struct LoadedConfiguration: Sendable {
    /// What holds.
    package let configuration: Configuration
    /// The file it was read from; nil if there is none.
    package let file: String?
    /// The environment variables that settings came from, over what the file says of them.
    package let variables: [String]
    /// What is no mistake, but should be known.
    package let warnings: [ConfigurationFinding]
    /// Every value that holds, without secrets: for one line of the log at start.
    package let effectiveNonSecretValues: [EffectiveSetting]
}

extension Configuration {
    /// Where the file is looked for if nobody names one.
    package static let defaultPath = "/etc/tastytokend/config.yaml"

    /// A configuration file is at most that long.
    private static let sizeLimit = 1 << 20

    /// Reads the configuration: the environment over the file over the defaults (product.md, Configuration).
    ///
    /// - Parameters:
    ///   - path: the file; nil for the default one, which need not exist.
    ///   - environment: the process's; also where the service manager says where credentials and state are.
    ///   - files: how files are read.
    ///   - names: how users and groups are looked up.
    ///   - needsClient: whether a client secret must be there. A program that calls no endpoint does without.
    /// - Returns: the configuration, with what should be said about it.
    /// - Throws: everything that is wrong, at once.
    package static func load(
        path: String?,
        environment: [String: String],
        files: FileReading = .system,
        names: NameDirectory = .system,
        needsClient: Bool = true
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let (file, mode) = settings(at: path, files)
        var reader = SettingReader(
            environment: environment,
            files: files,
            names: names,
            file: file,
            fileMode: mode
        )
        let configuration = Configuration(reading: &reader)
        reader.require(
            configuration.tastytrade.clientSecret != nil || !needsClient,
            ["tastytrade.clientSecret", "tastytrade.clientSecretFile"],
            "is not set",
            "pass the credential tastytrade-client-secret, or name a file in tastytrade.clientSecretFile"
        )
        guard reader.mistakes.isEmpty else { throw ConfigurationError(mistakes: inOrder(reader.mistakes)) }
        return LoadedConfiguration(
            configuration: configuration,
            file: mode == nil ? nil : file.path,
            variables: reader.variables,
            warnings: inOrder(reader.warnings),
            effectiveNonSecretValues: reader.effective
        )
    }

    private static func settings(at path: String?, _ files: FileReading) -> (FileSettings, mode: UInt32?) {
        let place = path ?? defaultPath
        do {
            let contents = try files.read(place, sizeLimit)
            return (FileSettings(path: place, bytes: contents.bytes), contents.mode)
        } catch {
            if error == .missing, path == nil { return (FileSettings(path: place), nil) }
            return (FileSettings(path: place, unread: error), nil)
        }
    }

    /// What has a line first, in the order of the lines; the rest as it was found.
    private static func inOrder(_ findings: [ConfigurationFinding]) -> [ConfigurationFinding] {
        func line(_ finding: ConfigurationFinding) -> Int {
            if case .file(_, let line?) = finding.place { line } else { .max }
        }
        return findings.enumerated()
            .sorted { (line($0.element), $0.offset) < (line($1.element), $1.offset) }
            .map(\.element)
    }
}
