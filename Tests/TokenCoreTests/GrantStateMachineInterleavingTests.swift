// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

/// H5, H7, H21: every order, up to a length, in which replies, writes, what is read and what others do to the row can come. Which ones
/// is told in docs/testing.md.
@Suite struct GrantStateMachineInterleavingTests {
    /// What was looked through, and what was found: for each law the first order that broke it.
    struct Outcome: Sendable {
        var orders = 0
        var events: [String: Int] = [:]
        var broken: [Interleaving.Law: String] = [:]
    }

    /// So many events come after the call is in line.
    private static let longest = 7
    /// So many of them from outside, at most.
    private static let mostOutside = 2

    private static let outcome: Outcome = {
        var outcome = Outcome()
        for hasToken in [true, false] {
            for isJournaled in [true, false] {
                let start = Interleaving(hasToken: hasToken, isJournaled: isJournaled)
                explore(start, [], outside: 0, &outcome)
            }
        }
        return outcome
    }()

    private static func explore(
        _ world: Interleaving,
        _ path: [Interleaving.Event],
        outside: Int,
        _ outcome: inout Outcome
    ) {
        let events = path.count < longest ? world.possible.filter { !$0.isOutside || outside < mostOutside } : []
        guard !events.isEmpty else {
            outcome.orders += 1
            var end = world
            end.settle()
            note(end, path, &outcome)
            return
        }
        for event in events {
            var next = world
            next.apply(event)
            outcome.events[event.rawValue, default: 0] += 1
            if next.broken.isEmpty {
                explore(next, path + [event], outside: outside + (event.isOutside ? 1 : 0), &outcome)
            } else {
                note(next, path + [event], &outcome)
            }
        }
    }

    private static func note(_ world: Interleaving, _ path: [Interleaving.Event], _ outcome: inout Outcome) {
        for (law, words) in world.broken where outcome.broken[law] == nil {
            outcome.broken[law] = "\(path.map(\.rawValue).joined(separator: ", ")): \(words)"
        }
    }

    private func expectHolds(_ law: Interleaving.Law) {
        #expect(Self.outcome.broken[law] == nil, "\(Self.outcome.broken[law] ?? "")")
    }

    @Test func everyKindOfEventComesInEveryKindOfOrder() {
        #expect(Self.outcome.orders > 10_000, "\(Self.outcome.orders) orders")
        for event in Interleaving.Event.allCases {
            #expect((Self.outcome.events[event.rawValue] ?? 0) > 100, "\(event) \(Self.outcome.events)")
        }
    }

    @Test func h5WhatOneGrantFailedWithIsNeverHeldAgainstAnother() { expectHolds(.failuresCountForTheirOwnGrant) }

    @Test func h7OnlyTwoRefusalsOfTheVeryGrantRefuseItWithNoSuccessInBetween() { expectHolds(.twoRefusalsRefuse) }

    @Test func h21AnAnswerIsOnlyEverStoredAndHandedOutForItsOwnGrant() { expectHolds(.answersBelongToTheirGrant) }

    @Test func h2ANewRefreshTokenIsKeptWhileTheRowHoldsTheOneBefore() { expectHolds(.newRefreshTokensAreKept) }

    @Test func thereIsAlwaysSomethingNext() { expectHolds(.nothingStandsStill) }

    @Test func h21WhateverTheOrderAllEndsAsTheRowSays() { expectHolds(.allEndsAsTheRowSays) }
}
