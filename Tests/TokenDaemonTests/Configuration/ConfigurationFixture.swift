// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenDaemon

/// A machine made of a few files and variables, on which a configuration is loaded.
struct ConfigurationFixture {
    /// The file that every test's YAML is in.
    static let path = "/etc/t.yaml"

    var files: [String: FileReading.Contents] = [:]
    var environment: [String: String] = ["TASTYTRADE_CLIENT_SECRET": "s3cret"]

    /// A machine with that configuration file.
    init(_ yaml: String? = nil, mode: UInt32 = 0o640) {
        if let yaml { put(Self.path, yaml, mode: mode) }
    }

    mutating func put(_ path: String, _ text: String, mode: UInt32 = 0o600) {
        files[path] = FileReading.Contents(bytes: Array(text.utf8), mode: mode)
    }

    func load(needsClient: Bool = true) throws(ConfigurationError) -> LoadedConfiguration {
        let files = files
        return try Configuration.load(
            path: files[Self.path] == nil ? nil : Self.path,
            environment: environment,
            files: FileReading { path, limit throws(FileReading.Failure) in
                guard let contents = files[path] else { throw .missing }
                guard contents.bytes.count <= limit else { throw .unreadable("it is longer than \(limit) bytes") }
                guard contents.mode & 0o400 != 0 else { throw .unreadable("Permission denied") }
                return contents
            },
            names: NameDirectory(
                user: { ["optionbot": 1001, "a": 1002][$0] },
                group: { ["bots": 2001, "b": 2002][$0] }
            ),
            needsClient: needsClient
        )
    }

    /// The lines that an operator gets to read; empty if all is well.
    func mistakes() -> [String] {
        do throws(ConfigurationError) {
            _ = try load()
            return []
        } catch {
            return error.mistakes.map(\.description)
        }
    }
}
