// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@Suite struct AccessRulesTests {
    private typealias Rule = AccessRules.Rule
    private let one = UserID("1")
    private let two = UserID("2")

    private func caller(_ user: UInt32, _ group: UInt32 = 9, _ more: UInt32...) -> Caller {
        Caller(process: 1, user: user, group: group, supplementaryGroups: more)
    }

    @Test(arguments: Right.allCases)
    func rootAndTheDaemonsOwnUserMayDoEverythingAndOthersNothing(right: Right) {
        let rules = AccessRules(ownUser: 1000)
        for account in [nil, one] {
            #expect(rules.allow(caller(0, 5), right, over: account))
            #expect(rules.allow(caller(1000, 5), right, over: account))
            #expect(!rules.allow(caller(1001, 0), right, over: account))
            #expect(!rules.allow(caller(65_534, 1000), right, over: account))
        }
    }

    @Test func aRuleGrantsItsRightsOverItsAccountsToWhomItNames() {
        let rules = AccessRules(ownUser: 1000, [Rule(.user(7), for: .some([one]), [.token, .status])])
        #expect(rules.allow(caller(7), .token, over: one))
        #expect(rules.allow(caller(7), .status, over: one))
        #expect(!rules.allow(caller(7), .refresh, over: one))
        #expect(!rules.allow(caller(7), .admin, over: one))
        #expect(!rules.allow(caller(7), .token, over: two))
        #expect(!rules.allow(caller(7), .status, over: nil), "some accounts are not all")
        #expect(!rules.allow(caller(8, 7, 7), .token, over: one), "a group's number is no user's")
    }

    @Test func aGroupMatchesAsPrimaryAndAsSupplementary() {
        let rules = AccessRules(ownUser: 1000, [Rule(.group(50), for: .all, [.token])])
        #expect(rules.allow(caller(7, 50), .token, over: one))
        #expect(rules.allow(caller(7, 9, 3, 50, 4), .token, over: one))
        #expect(rules.allow(caller(7, 50), .token, over: nil))
        #expect(!rules.allow(caller(50, 9, 3), .token, over: one))
    }

    @Test func adminIsAllRights() {
        let rules = AccessRules(ownUser: 1000, [Rule(.user(7), for: .some([one]), [.admin])])
        for right in Right.allCases {
            #expect(rules.allow(caller(7), right, over: one))
            #expect(!rules.allow(caller(7), right, over: two))
            #expect(!rules.allow(caller(7), right, over: nil))
        }
    }

    @Test func rulesAddUpButOnlyWhole() {
        let rules = AccessRules(
            ownUser: 1000,
            [Rule(.user(7), for: .some([one]), [.token]), Rule(.group(50), for: .some([two]), [.status])]
        )
        #expect(rules.allow(caller(7, 50), .token, over: one))
        #expect(rules.allow(caller(7, 50), .status, over: two))
        #expect(!rules.allow(caller(7, 50), .status, over: one), "no rule names this right with this account")
        #expect(!rules.allow(caller(7, 50), .token, over: two))
    }

    @Test func whoHasNoIDInTheNamespaceIsNobodyInParticularUnlessARuleNamesHim() {
        let nobody = caller(65_534, 65_534)
        #expect(!AccessRules(ownUser: 65_534).allow(nobody, .token, over: one))
        #expect(
            AccessRules(ownUser: 65_534, [Rule(.user(65_534), for: .all, [.token])]).allow(nobody, .token, over: one)
        )
        #expect(AccessRules(ownUser: 1, [Rule(.group(65_534), for: .all, [.token])]).allow(nobody, .token, over: one))
    }
}

extension AccessRulesTests {
    @Test func whoeverMaySeeSomeSeesThoseAndNoOthers() {
        let rules = AccessRules(
            ownUser: 1000,
            [
                .init(.user(7), for: .some([UserID("1"), UserID("2")]), [.status]),
                .init(.group(8), for: .some([UserID("3")]), [.admin]),
                .init(.user(9), for: .all, [.status]),
                .init(.user(7), for: .all, [.token]),
            ]
        )
        func seen(_ user: UInt32, group: UInt32 = 0) -> Set<UserID>? {
            rules.accounts(of: Caller(process: 1, user: user, group: group), .status)
        }
        #expect(seen(7) == [UserID("1"), UserID("2")])
        #expect(seen(7, group: 8) == [UserID("1"), UserID("2"), UserID("3")])
        #expect(seen(5) == [])
        #expect(seen(9) == nil && seen(0) == nil && seen(1000) == nil, "nil is everybody")
    }
}
