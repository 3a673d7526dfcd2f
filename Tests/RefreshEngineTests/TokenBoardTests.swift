// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

@Suite struct TokenBoardTests {
    private let user = UserID("42")

    private func token(_ text: String) -> PublishedToken {
        BareRenderer().render(
            Secret(text),
            type: "Bearer",
            life: TokenLife(sentAt: .newYear, lifetime: .seconds(900)),
            for: EngineFixture.client
        )
    }

    @Test func anUnchangedEntryKeepsItsVersionAndItsWaiters() throws {
        let board = TokenBoard()
        board.update(board.admit(user), .replace(token("a")), prospect: .possible)
        let version = try #require(board.entry(for: user)?.version)
        let woken = Mailbox<Void>()
        #expect(board.onChange(of: user, after: version) { woken.send(()) } != nil)
        board.update(board.admit(user), .keep, prospect: .possible)
        #expect(board.entry(for: user)?.version == version)
        #expect(woken.count == 0)
        board.update(board.admit(user), .keep, prospect: .underWay)
        #expect(woken.count == 1)
        #expect(board.entry(for: user)?.token?.bareToken == "a")
    }

    @Test func aWaiterWhoComesTooLateIsWokenAtOnce() {
        let board = TokenBoard()
        board.update(board.admit(user), .replace(token("a")), prospect: .possible)
        let woken = Mailbox<Void>()
        #expect(board.onChange(of: user, after: 0) { woken.send(()) } == nil)
        #expect(woken.count == 1)
    }

    @Test func aCancelledWaiterIsNotWoken() throws {
        let board = TokenBoard()
        board.update(board.admit(user), .replace(token("a")), prospect: .possible)
        let version = try #require(board.entry(for: user)?.version)
        let woken = Mailbox<Void>()
        let waiter = try #require(board.onChange(of: user, after: version) { woken.send(()) })
        board.cancel(waiter)
        board.update(board.admit(user), .withdraw, prospect: .noGrant)
        #expect(woken.count == 0)
        #expect(board.entry(for: user)?.token == nil)
    }

    @Test func removingAnAccountWakesItsWaiters() throws {
        let board = TokenBoard()
        board.update(board.admit(user), .replace(token("a")), prospect: .possible)
        let version = try #require(board.entry(for: user)?.version)
        let woken = Mailbox<Void>()
        _ = board.onChange(of: user, after: version) { woken.send(()) }
        board.remove(user)
        #expect(woken.count == 1)
        #expect(board.entry(for: user) == nil)
    }

    @Test func aWakingCallbackMayLookAtTheBoard() throws {
        let board = TokenBoard()
        board.update(board.admit(user), .replace(token("a")), prospect: .possible)
        let version = try #require(board.entry(for: user)?.version)
        let seen = Mailbox<String?>()
        _ = board.onChange(of: user, after: version) { seen.send(board.entry(for: self.user)?.token?.bareToken) }
        board.update(board.admit(user), .replace(token("b")), prospect: .possible)
        #expect(seen.count == 1)
    }

    @Test func whoTakesAFreedSlotHasNothingOfItsFormerOwner() throws {
        let board = TokenBoard()
        let slot = board.admit(user)
        board.update(slot, .replace(token("a")), prospect: .possible)
        let version = try #require(board.entry(for: user)?.version)
        let woken = Mailbox<Void>()
        let waiter = try #require(board.onChange(of: user, after: version) { woken.send(()) })
        board.remove(user)
        let other = UserID("7")
        #expect(board.admit(other) == slot)
        #expect(board.entry(for: other)?.token == nil)
        let others = Mailbox<Void>()
        board.update(slot, .keep, prospect: .underWay)
        let now = try #require(board.entry(for: other))
        #expect(now.token == nil && now.version > version)
        _ = board.onChange(of: other, after: now.version) { others.send(()) }
        board.cancel(waiter)
        #expect(board.onChange(of: user, after: version) { woken.send(()) } == nil, "he is gone")
        board.update(slot, .replace(token("b")), prospect: .possible)
        #expect(others.count == 1 && woken.count == 2)
    }
}
