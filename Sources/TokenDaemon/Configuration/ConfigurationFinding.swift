// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Where a setting was found, as an operator would look for it.
package enum SettingPlace: Hashable, Sendable, CustomStringConvertible {
    /// A file, and the line where the parser knows it.
    case file(String, line: Int?)
    /// An environment variable.
    case environment(String)
    /// Nowhere: the default stands, or nothing was said.
    case none

    /// `config.yaml:12`, `environment REFRESH_AT`, or nothing.
    package var description: String {
        switch self {
        case .file(let path, let line?): "\(path):\(line)"
        case .file(let path, nil): path
        case .environment(let name): "environment \(name)"
        case .none: ""
        }
    }
}

/// One thing about the configuration that an operator should know, on one line: where, what, and what to do.
package struct ConfigurationFinding: Hashable, Sendable, CustomStringConvertible {
    /// Where it was found.
    package let place: SettingPlace
    /// The key it is about; nil where it is about the file as a whole.
    package let key: String?
    /// What is wrong. Never holds a secret's value.
    package let problem: String
    /// What to do about it.
    package let remedy: String

    /// Puts the parts together.
    package init(place: SettingPlace, key: String?, problem: String, remedy: String) {
        self.place = place
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    /// `config.yaml:12: refresh.at: "2" is not between 0 and 1: write a share such as 0.6`.
    package var description: String {
        let parts = [place.description, key ?? "", problem, remedy].filter { !$0.isEmpty }
        return SafeText(parts.joined(separator: ": "), toBytes: 1024).text
    }
}

/// All that is wrong with a configuration; whoever mends it wants to know everything at once.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one mistake, those of the file's lines first and in their order.
    package let mistakes: [ConfigurationFinding]

    /// A line for each mistake.
    package var description: String {
        mistakes.map(\.description).joined(separator: "\n")
    }
}
