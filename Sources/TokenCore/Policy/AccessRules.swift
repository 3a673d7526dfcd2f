// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What a caller may be allowed to do (product.md, Who may ask). The raw values are the contract's words.
package enum Right: String, Hashable, Sendable, CaseIterable {
    /// To be given tokens.
    case token
    /// To have tokens refreshed.
    case refresh
    /// To see how accounts stand.
    case status
    /// To connect and disconnect accounts.
    case enroll
    /// All of these, and the clients and the web pages.
    case admin
}

/// Who may do what (product.md, Who may ask): rules only grant. Root and the daemon's own user may do everything, everybody
/// else what some rule says.
package struct AccessRules: Hashable, Sendable {
    /// One rule.
    package struct Rule: Hashable, Sendable {
        /// Who is at the other end of the socket.
        package enum Subject: Hashable, Sendable {
            /// A user, by number.
            case user(UInt32)
            /// A group, by number; primary or supplementary.
            case group(UInt32)
        }

        /// For which accounts.
        package enum Accounts: Hashable, Sendable {
            /// All there are, and what concerns no single one.
            case all
            /// These.
            case some(Set<UserID>)
        }

        /// Who.
        package let subject: Subject
        /// For whom.
        package let accounts: Accounts
        /// What.
        package let rights: Set<Right>

        /// Puts a rule together.
        package init(_ subject: Subject, for accounts: Accounts, _ rights: Set<Right>) {
            self.subject = subject
            self.accounts = accounts
            self.rights = rights
        }
    }

    /// The id that the kernel shows for one that has none in its namespace (user_namespaces(7)): nobody in particular.
    private static let overflow: UInt32 = 65_534

    private let ownUser: UInt32
    private let rules: [Rule]

    /// Rules for a daemon that runs as that user.
    package init(ownUser: UInt32, _ rules: [Rule] = []) {
        self.ownUser = ownUser
        self.rules = rules
    }

    /// Whether the caller has this right over this account; nil stands for what concerns no single one.
    package func allow(_ caller: Caller, _ right: Right, over account: UserID?) -> Bool {
        isOwner(caller)
            || rules.contains { $0.names(caller) && $0.grants(right) && $0.covers(account) }
    }

    /// The accounts over which the caller has this right; nil for all there are.
    package func accounts(of caller: Caller, _ right: Right) -> Set<UserID>? {
        if allow(caller, right, over: nil) { return nil }
        return rules.reduce(into: []) { accounts, rule in
            guard case .some(let more) = rule.accounts, rule.names(caller), rule.grants(right) else { return }
            accounts.formUnion(more)
        }
    }

    /// A daemon that runs as nobody in particular has no user of its own: anyone from another namespace looks like it.
    private func isOwner(_ caller: Caller) -> Bool {
        caller.user == 0 || (caller.user == ownUser && ownUser != Self.overflow)
    }
}

extension AccessRules.Rule {
    fileprivate func names(_ caller: Caller) -> Bool {
        switch subject {
        case .user(let user): caller.user == user
        case .group(let group): caller.group == group || caller.supplementaryGroups.contains(group)
        }
    }

    fileprivate func grants(_ right: Right) -> Bool {
        rights.contains(right) || rights.contains(.admin)
    }

    fileprivate func covers(_ account: UserID?) -> Bool {
        switch accounts {
        case .all: true
        case .some(let accounts): account.map(accounts.contains) ?? false
        }
    }
}
