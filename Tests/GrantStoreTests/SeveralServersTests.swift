// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// H19: two real servers, of which one follows the other, and takes its place.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SeveralServersTests {
    private let user = UserID("1")

    private func withPair(
        _ body: (_ primary: TemporaryPostgres, _ standby: TemporaryPostgres, _ url: String) async throws -> Void
    ) async throws {
        try await withTemporaryPostgres { primary in
            try await primary.execute(TestDatabase.railsTable)
            let standby = try await primary.makeStandby()
            do {
                // The standby is named first, so that it is not by luck that the primary is found.
                let hosts = "\(standby.folder),\(primary.folder)"
                try await body(primary, standby, "postgresql:///postgres?host=\(hosts)&user=postgres")
                await standby.tearDown()
            } catch {
                await standby.tearDown()
                throw error
            }
        }
    }

    @Test func theOneThatCanBeWrittenToIsFoundAndFollowedWhenItIsAnother() async throws {
        try await withPair { primary, standby, url in
            let clock = TestClock(isFrozen: true)
            let store = PostgresGrantStore.forTest(StoreConfiguration(owner: "test", url: Secret(url)), clock: clock)
            let grant = try #require(try await store.grants(of: [user]).first)
            let first = GrantWrite.sample(user, token: "first", used: grant.version)
            #expect(try await store.write([first]) == [user: .stored(grantVersion: grant.version)])
            let mark = try #require(try await store.load { _ in })
            #expect(try await store.changes(since: mark) { _ in }.isComplete == false)

            try await standby.catchUp(with: primary)
            try await primary.stop(mode: .immediate)
            let second = GrantWrite.sample(user, token: "second", used: grant.version)
            let failure = await store.failure { store async throws(StoreFailure) in try await store.write([second]) }
            #expect(failure?.kind == .unavailable)

            try await standby.promote()
            clock.advance(by: .seconds(60))
            #expect(try await store.write([second]) == [user: .stored(grantVersion: grant.version)])
            let stored = try await standby.query("SELECT tastytrade_oauth_token FROM users WHERE id = 1")
            #expect(stored == "second")
            // The other server may have lost what the first one did last, so its marks mean nothing here.
            #expect(try await store.changes(since: mark) { _ in }.isComplete)
        }
    }

    @Test func aStandbyAloneIsNotReadFrom() async throws {
        try await withPair { _, standby, _ in
            let store = PostgresGrantStore.forTest(StoreConfiguration(owner: "test", url: Secret(standby.url)))
            let failure = await store.failure { store async throws(StoreFailure) in try await store.grants(of: [user]) }
            #expect(failure?.kind == .unavailable)
        }
    }

    @Test func newsComeFromTheOtherServerToo() async throws {
        try await withPair { primary, standby, url in
            let store = PostgresGrantStore.forTest(StoreConfiguration(owner: "test", url: Secret(url)))
            _ = try await store.migrate()
            let news = Mailbox<ChangeNews>()
            let following = Task { await store.follow { news.send($0) } }
            #expect(await news.next() == .unknown)
            try await standby.catchUp(with: primary)
            try await primary.stop(mode: .immediate)
            try await standby.promote()
            #expect(await news.next() == .unknown)
            try await standby.execute("DELETE FROM users WHERE id = 1")
            #expect(await news.next() == .users([user]))
            following.cancel()
            await following.value
        }
    }
}
