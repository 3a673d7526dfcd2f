// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore
import Yams

/// One rule of `access`: who may do what for whom (product.md, Who may ask). Rules only grant.
package struct AccessRule: Hashable, Sendable {
    /// Who is at the other end of the socket.
    package enum Caller: Hashable, Sendable {
        /// A user, by name.
        case user(String)
        /// A group, by name; primary or supplementary.
        case group(String)
        /// A user, by number.
        case uid(UInt32)
        /// A group, by number.
        case gid(UInt32)
        /// A unit that loads a credential, by a pattern of its name.
        case unit(String)
    }

    /// For which accounts.
    package enum Users: Hashable, Sendable {
        /// `"*"`.
        case all
        /// These.
        case some(Set<String>)
    }

    /// What callers may be allowed. The raw values are the contract's words.
    package enum Right: String, Hashable, Sendable, CaseIterable {
        /// To be given tokens.
        case token
        /// To have a token refreshed.
        case refresh
        /// To see how an account stands.
        case status
        /// To connect and disconnect accounts.
        case enroll
        /// All of these, and the clients and the web pages.
        case admin
    }

    /// Who.
    package let caller: Caller
    /// For whom.
    package let users: Users
    /// What.
    package let rights: Set<Right>

    /// Puts a rule together.
    package init(caller: Caller, users: Users, rights: Set<Right>) {
        self.caller = caller
        self.users = users
        self.rights = rights
    }
}

extension AccessRule {
    /// Reads `access`. Whether a named user or group exists is for whoever can ask the machine.
    static func rules(reading reader: inout SettingReader) -> [AccessRule] {
        guard let node = reader.file.trees["access"] else { return [] }
        let path = reader.file.path
        reader.remarkOnEffect(.named("access"), reader.file.place(ofTree: "access"))
        guard let entries = node.sequence else {
            reader.mistake("access", at: .file(path, line: node.mark?.line), "is not a list", "begin each rule with -")
            return []
        }
        reader.note("access", "\(entries.count) rules")
        return entries.compactMap { entry in
            do throws(SettingComplaint) {
                return try AccessRule(entry)
            } catch {
                reader.mistake("access", at: .file(path, line: entry.mark?.line), error.problem, error.remedy)
                return nil
            }
        }
    }

    private init(_ node: Node) throws(SettingComplaint) {
        guard let mapping = node.mapping else { throw SettingComplaint("a rule has no keys", Self.remedy) }
        var callers: [Caller] = []
        var users: Users?
        var rights: Set<Right> = []
        for (key, value) in mapping {
            switch key.scalar?.string {
            case "users": users = try Self.users(value)
            case "allow": rights = try Self.rights(value)
            case let name: callers.append(try Self.caller(name ?? "", value.scalar?.string))
            }
        }
        guard callers.count == 1, let caller = callers.first else {
            throw SettingComplaint("a rule names \(callers.isEmpty ? "nobody" : "more than one caller")", Self.remedy)
        }
        guard let users else { throw SettingComplaint("a rule has no users", "write users: \"*\" or a list of ids") }
        guard !rights.isEmpty else { throw SettingComplaint("a rule allows nothing", "write allow: [token]") }
        self.init(caller: caller, users: users, rights: rights)
    }

    private static let remedy = "name one of user, group, uid, gid or unit, with users and allow"

    private static func caller(_ key: String, _ text: String?) throws(SettingComplaint) -> Caller {
        let shown = SafeText(key, toBytes: SafeText.codeLimit).text
        guard let text, !text.isEmpty else { throw SettingComplaint("\(shown) of a rule has no value", remedy) }
        switch key {
        case "user": return .user(text)
        case "group": return .group(text)
        case "unit": return .unit(text)
        case "uid": return .uid(try number(text, shown))
        case "gid": return .gid(try number(text, shown))
        default: throw SettingComplaint("\(shown) is no part of a rule", remedy)
        }
    }

    private static func number(_ text: String, _ key: String) throws(SettingComplaint) -> UInt32 {
        // The largest number means "no such id" to the kernel.
        guard let number = UInt32(text), number < .max else {
            throw SettingComplaint("\(key) of a rule is not a number", "write the id's number")
        }
        return number
    }

    private static func users(_ node: Node) throws(SettingComplaint) -> Users {
        if node.scalar?.string == "*" { return .all }
        let ids = texts(node)
        guard !ids.isEmpty else { throw SettingComplaint("users of a rule is no list", "write \"*\" or a list of ids") }
        return .some(Set(ids))
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
