// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore
import Yams

/// One rule of `access`: who may do what for whom (product.md, Who may ask), with every name resolved.
package enum AccessRule: Hashable, Sendable {
    /// For callers of the socket.
    case caller(AccessRules.Rule)
    /// For units that load a credential, by a pattern of their name.
    case unit(String, for: AccessRules.Rule.Accounts, Set<Right>)
}

extension AccessRule {
    /// Reads `access`. A user or group that this host does not have is a mistake: the rule would let nobody in, or somebody
    /// who is given the name later.
    static func rules(reading reader: inout SettingReader) -> [AccessRule] {
        let path = reader.file.path
        guard let node = reader.file.trees["access"] else {
            reader.note("access", words(0), fingerprint: [AccessRule]().hashValue)
            return []
        }
        guard let entries = node.sequence else {
            reader.mistake("access", at: .file(path, line: node.mark?.line), "is not a list", "begin each rule with -")
            return []
        }
        let rules = Self.rules(entries, &reader)
        reader.note("access", words(entries.count), fingerprint: rules.hashValue)
        return rules
    }

    private static func rules(_ entries: Node.Sequence, _ reader: inout SettingReader) -> [AccessRule] {
        entries.compactMap { entry in
            let path = reader.file.path
            let reading = AccessRuleReading(entry, reader.names)
            for (line, complaint) in reading.complaints {
                reader.mistake("access", at: .file(path, line: line), complaint.problem, complaint.remedy)
            }
            if case .unit = reading.rule {
                reader.warn(
                    "access",
                    at: .file(path, line: entry.mark?.line),
                    "a rule for a unit has no effect in this version",
                    "leave it for a later one"
                )
            }
            return reading.rule
        }
    }

    private static func words(_ count: Int) -> String {
        switch count {
        case 0: "root and the daemon's own user only"
        case 1: "1 rule"
        default: "\(count) rules"
        }
    }
}
