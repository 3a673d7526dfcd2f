// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore
import Yams

/// Reads one rule of `access` to its end, whatever is wrong with it on the way.
struct AccessRuleReading {
    private enum Subject {
        case caller(AccessRules.Rule.Subject)
        case unit(String)
    }

    private static let subjectKeys = ["user", "group", "uid", "gid", "unit"]
    private static let remedy = "name one of user, group, uid, gid or unit, with users and allow"

    private let names: NameDirectory
    /// What is wrong, each with its line.
    private(set) var complaints: [(line: Int?, complaint: SettingComplaint)] = []
    /// The rule; nil if anything is wrong with it.
    private(set) var rule: AccessRule?

    private var subjects: [Subject] = []
    private var accounts: AccessRules.Rule.Accounts?
    private var rights: Set<Right> = []
    /// The parts that are there, in order or not; a misspelt one counts as what was meant.
    private var parts: [String] = []

    /// Reads the rule at a node.
    init(_ node: Node, _ names: NameDirectory) {
        self.names = names
        guard let mapping = node.mapping else {
            complain(node, "a rule has no keys", Self.remedy)
            return
        }
        for (key, value) in mapping {
            read(value, as: DuplicateKeys.name(ofKey: key.scalar?.string ?? ""), at: key)
        }
        lookForMissingParts(node)
        if complaints.isEmpty, let accounts { rule = made(for: accounts) }
    }

    private func made(for accounts: AccessRules.Rule.Accounts) -> AccessRule? {
        switch subjects.first {
        case .caller(let caller): .caller(AccessRules.Rule(caller, for: accounts, rights))
        case .unit(let pattern): .unit(pattern, for: accounts, rights)
        case nil: nil
        }
    }

    private mutating func read(_ value: Node, as key: String, at keyNode: Node) {
        parts.append(key)
        switch key {
        case "users": readAccounts(value)
        case "allow": readRights(value)
        case _ where Self.subjectKeys.contains(key): readSubject(key, value)
        default:
            let meant = Spelling.nearest(to: key, among: Self.subjectKeys + ["users", "allow"])
            if let meant { parts.append(meant) }
            let shown = SafeText(key, toBytes: SafeText.codeLimit)
            complain(keyNode, "\(shown) is no part of a rule", meant.map { "did you mean \($0)?" } ?? Self.remedy)
        }
    }

    private mutating func lookForMissingParts(_ node: Node) {
        let callers = parts.filter(Self.subjectKeys.contains)
        if callers.isEmpty { complain(node, "a rule names nobody", Self.remedy) }
        if Set(callers).count > 1 { complain(node, "a rule names more than one caller", Self.remedy) }
        if !parts.contains("users") { complain(node, "a rule has no users", "write users: \"*\" or a list of ids") }
        if !parts.contains("allow") { complain(node, "a rule allows nothing", "write allow: [token]") }
    }

    private mutating func complain(_ node: Node, _ problem: String, _ remedy: String) {
        complaints.append((node.mark?.line, SettingComplaint(problem, remedy)))
    }
}

// MARK: - The parts

extension AccessRuleReading {
    private mutating func readSubject(_ key: String, _ node: Node) {
        guard let text = node.scalar?.string, !text.isEmpty else {
            return complain(node, "\(key) of a rule has no value", Self.remedy)
        }
        switch key {
        case "user": add(names.user(text).map(AccessRules.Rule.Subject.user), unknown: "user", text, node)
        case "group": add(names.group(text).map(AccessRules.Rule.Subject.group), unknown: "group", text, node)
        case "uid": add(Self.number(text).map(AccessRules.Rule.Subject.user), noNumber: key, node)
        case "gid": add(Self.number(text).map(AccessRules.Rule.Subject.group), noNumber: key, node)
        default: subjects.append(.unit(text))
        }
    }

    private mutating func add(_ subject: AccessRules.Rule.Subject?, unknown kind: String, _ name: String, _ node: Node)
    {
        if let subject { return subjects.append(.caller(subject)) }
        let shown = SafeText(name, toBytes: SafeText.codeLimit)
        complain(node, "this host has no \(kind) \"\(shown)\"", "create it, or correct the rule")
    }

    private mutating func add(_ subject: AccessRules.Rule.Subject?, noNumber key: String, _ node: Node) {
        if let subject { return subjects.append(.caller(subject)) }
        complain(node, "\(key) of a rule is not the number of an id", "write a number from 0 to 4294967294")
    }

    /// The largest number means "no such id" to the kernel.
    private static func number(_ text: String) -> UInt32? {
        UInt32(text).flatMap { $0 < .max ? $0 : nil }
    }

    private mutating func readAccounts(_ node: Node) {
        let ids = Self.texts(node)
        if ids == ["*"] { return accounts = .all }
        guard !ids.isEmpty, ids.allSatisfy({ !$0.isEmpty }) else {
            return complain(
                node,
                "users of a rule names nobody, or holds what is no id",
                "write \"*\" or a list of ids"
            )
        }
        if node.scalar?.string.contains(",") == true {
            return complain(node, "users of a rule is one text with a comma", "write a list, as in [\"42\", \"43\"]")
        }
        if ids.contains("*") {
            return complain(node, "users of a rule has \"*\" beside ids", "write \"*\" alone, or ids alone")
        }
        accounts = .some(Set(ids.map { UserID($0) }))
    }

    private mutating func readRights(_ node: Node) {
        let texts = Self.texts(node)
        if texts.isEmpty { complain(node, "a rule allows nothing", "write allow: [token]") }
        for text in texts {
            if let right = Right(rawValue: text) {
                rights.insert(right)
            } else {
                let words = Right.allCases.map(\.rawValue).joined(separator: ", ")
                complain(node, "\"\(SafeText(text, toBytes: SafeText.codeLimit))\" is no right", "rights are \(words)")
            }
        }
    }

    private static func texts(_ node: Node) -> [String] {
        guard let sequence = node.sequence else {
            return node.scalar.map { [$0.string] }?.filter { !$0.isEmpty } ?? []
        }
        let texts = sequence.compactMap(\.scalar?.string)
        return texts.count == sequence.count ? texts : []
    }
}
