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
        guard let node = reader.file.trees["access"] else { return [] }
        let path = reader.file.path
        guard let entries = node.sequence else {
            reader.mistake("access", at: .file(path, line: node.mark?.line), "is not a list", "begin each rule with -")
            return []
        }
        reader.note("access", "\(entries.count) rules")
        return entries.compactMap { entry in
            do throws(SettingComplaint) {
                let rule = try AccessRule(entry, reader.names)
                if case .unit = rule {
                    let place = SettingPlace.file(path, line: entry.mark?.line)
                    reader.warn(
                        "access",
                        at: place,
                        "a rule for a unit has no effect in this version",
                        "leave it for a later one"
                    )
                }
                return rule
            } catch {
                reader.mistake("access", at: .file(path, line: entry.mark?.line), error.problem, error.remedy)
                return nil
            }
        }
    }

    private init(_ node: Node, _ names: NameDirectory) throws(SettingComplaint) {
        guard let mapping = node.mapping else { throw SettingComplaint("a rule has no keys", Self.remedy) }
        var subjects: [Subject] = []
        var accounts: AccessRules.Rule.Accounts?
        var rights: Set<Right> = []
        for (key, value) in mapping {
            switch key.scalar?.string {
            case "users": accounts = try Self.accounts(value)
            case "allow": rights = try Self.rights(value)
            case let name: subjects.append(try Self.subject(name ?? "", value.scalar?.string, names))
            }
        }
        guard subjects.count == 1, let subject = subjects.first else {
            throw SettingComplaint("a rule names \(subjects.isEmpty ? "nobody" : "more than one caller")", Self.remedy)
        }
        guard let accounts else { throw SettingComplaint("a rule has no users", "write users: \"*\" or a list of ids") }
        guard !rights.isEmpty else { throw SettingComplaint("a rule allows nothing", "write allow: [token]") }
        switch subject {
        case .caller(let caller): self = .caller(AccessRules.Rule(caller, for: accounts, rights))
        case .unit(let pattern): self = .unit(pattern, for: accounts, rights)
        }
    }

    private enum Subject {
        case caller(AccessRules.Rule.Subject)
        case unit(String)
    }

    private static let remedy = "name one of user, group, uid, gid or unit, with users and allow"

    private static func subject(
        _ key: String,
        _ text: String?,
        _ names: NameDirectory
    ) throws(SettingComplaint) -> Subject {
        let shown = SafeText(key, toBytes: SafeText.codeLimit).text
        guard let text, !text.isEmpty else { throw SettingComplaint("\(shown) of a rule has no value", remedy) }
        switch key {
        case "user": return .caller(.user(try known(names.user(text), "user", text)))
        case "group": return .caller(.group(try known(names.group(text), "group", text)))
        case "unit": return .unit(text)
        case "uid": return .caller(.user(try number(text, shown)))
        case "gid": return .caller(.group(try number(text, shown)))
        default: throw SettingComplaint("\(shown) is no part of a rule", remedy)
        }
    }

    private static func known(_ id: UInt32?, _ kind: String, _ name: String) throws(SettingComplaint) -> UInt32 {
        guard let id else {
            let shown = SafeText(name, toBytes: SafeText.codeLimit)
            throw SettingComplaint("this host has no \(kind) \"\(shown)\"", "create it, or correct the rule")
        }
        return id
    }

    private static func number(_ text: String, _ key: String) throws(SettingComplaint) -> UInt32 {
        // The largest number means "no such id" to the kernel.
        guard let number = UInt32(text), number < .max else {
            throw SettingComplaint("\(key) of a rule is not a number", "write the id's number")
        }
        return number
    }

    private static func accounts(_ node: Node) throws(SettingComplaint) -> AccessRules.Rule.Accounts {
        if node.scalar?.string == "*" { return .all }
        let ids = texts(node)
        guard !ids.isEmpty else { throw SettingComplaint("users of a rule is no list", "write \"*\" or a list of ids") }
        return .some(Set(ids.map { UserID($0) }))
    }

    private static func rights(_ node: Node) throws(SettingComplaint) -> Set<Right> {
        var rights: Set<Right> = []
        for text in texts(node) {
            guard let right = Right(rawValue: text) else {
                let words = Right.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingComplaint(
                    "\"\(SafeText(text, toBytes: SafeText.codeLimit))\" is no right",
                    "rights are \(words)"
                )
            }
            rights.insert(right)
        }
        return rights
    }

    private static func texts(_ node: Node) -> [String] {
        guard let sequence = node.sequence else { return node.scalar.map { [$0.string] } ?? [] }
        let texts = sequence.compactMap(\.scalar?.string)
        return texts.count == sequence.count ? texts : []
    }
}
