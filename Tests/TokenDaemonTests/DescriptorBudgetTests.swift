// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import Testing

@testable import TokenDaemon

@Suite struct DescriptorBudgetTests {
    @Test(
        arguments: [
            (65_536, 64, 1024, 768), (1136, 64, 1024, 768), (1135, 64, 1023, 767), (1024, 64, 912, 684),
            (256, 64, 144, 108),
            (64, 64, 8, 6), (64, 2, 14, 10), (20, 64, 1, 1), (0, 64, 1, 1), (1024, 10_000, 488, 366),
        ]
    )
    func callersGetWhatTheOthersLeave(limit: Int, calls: Int, all: Int, one: Int) {
        let budget = DescriptorBudget(limit: limit, calls: calls)
        #expect(budget.limits.connections == all && budget.limits.connectionsPerUser == one)
        #expect(budget.isTight() == (all < SocketLimits().connections))
    }

    @Test func whatIsSetAsideAndWhatCallersTakeFitIntoTheLimit() {
        for limit in 50...2000 {
            for calls in [1, 20, 64, 500] {
                let budget = DescriptorBudget(limit: limit, calls: calls)
                #expect(budget.setAside + budget.limits.connections <= limit)
                #expect(budget.setAside >= 49, "there is always one for a call")
            }
        }
    }

    @Test func anotherListenerTakesFromCallersWhatItMayHaveOpen() {
        let without = DescriptorBudget(limit: 1024, calls: 64)
        let with = DescriptorBudget(limit: 1024, calls: 64, listeners: 40)
        #expect(with.limits.connections == without.limits.connections - 40)
        #expect(with.setAside == without.setAside + 40)
        let needed = DescriptorBudget.needed(forCalls: 64, listeners: 40)
        #expect(needed == DescriptorBudget.needed(forCalls: 64) + 40)
        #expect(!DescriptorBudget(limit: needed, calls: 64, listeners: 40).isTight())
        #expect(DescriptorBudget(limit: needed - 1, calls: 64, listeners: 40).isTight())
        for limit in 90...2000 {
            let budget = DescriptorBudget(limit: limit, calls: 64, listeners: 40)
            #expect(budget.setAside + budget.limits.connections <= limit)
        }
    }

    @Test func otherCallsNeedTheirDescriptorsBesideTheCallersWhoAreLetIn() {
        let tight = DescriptorBudget(limit: 1024, calls: 64, listeners: 40)
        #expect(tight.needed(forCalls: 64) == 1024)
        #expect(tight.needed(forCalls: 500) == 1024 - 64 + 500)
        #expect(tight.calls(of: 500, within: 1024 - 64 + 500) == 500)
        #expect(tight.calls(of: 500, within: 1024) == 64)
        #expect(tight.calls(of: 20, within: 1024) == 20)
        #expect(tight.calls(of: 500, within: 100) == 1)
    }

    @Test(arguments: [0, 40]) func whoeverHasTheLeastHasSomeForCallsAndForCallers(listeners: Int) {
        let least = DescriptorBudget.least(listeners: listeners)
        let budget = DescriptorBudget(limit: least, calls: 64, listeners: listeners)
        #expect(budget.calls == 4 && budget.limits.connections == 4)
        #expect(budget.setAside + budget.limits.connections == least)
    }

    @Test func whatIsNeededIsNotTight() {
        let needed = DescriptorBudget.needed(forCalls: 200)
        #expect(!DescriptorBudget(limit: needed, calls: 200).isTight())
        #expect(DescriptorBudget(limit: needed - 1, calls: 200).isTight())
    }
}
