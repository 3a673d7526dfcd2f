// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// What a network does to a connection, and what the store makes of it; above all H6, the lost answer of a commit.
@Suite(.timeLimit(.minutes(5))) struct DatabaseProxyTests {
    private let user = UserID("1")

    /// A store behind a proxy; `adjust` changes its configuration.
    private func withStore(
        clock: TestClock = TestClock(),
        _ adjust: (inout StoreConfiguration) -> Void = { _ in },
        _ body: (PostgresGrantStore, DatabaseProxy, TestDatabase) async throws -> Void
    ) async throws {
        let database = try await TestDatabase()
        try await withDatabaseProxy(before: database.server) { proxy in
            let store = database.store(clock: clock) { configuration in
                configuration.url = Secret(proxy.url(database: database.name))
                adjust(&configuration)
            }
            try await body(store, proxy, database)
        }
    }

    private func rows(_ store: PostgresGrantStore) async -> StoreFailure? {
        await store.failure { store async throws(StoreFailure) in try await store.rows(of: [user]) }
    }

    @Test func whatIsLargeGoesThroughAndNoConnectionIsLeft() async throws {
        try await withStore { store, proxy, database in
            // More than all buffers on the way hold.
            try await database.execute(
                "INSERT INTO users (tastytrade_oauth_token) SELECT repeat('x', 2000) FROM generate_series(1, 20000)"
            )
            #expect(try await store.loaded().count == 20_002)
            #expect(proxy.connections > 0)
            store.close()
            while proxy.connections > 0 { await Task.yield() }
            #expect(proxy.counts.cut == 0)
        }
    }

    @Test func whatIsCutIsReplacedUnnoticed() async throws {
        try await withStore { store, proxy, _ in
            #expect(await rows(store) == nil)
            let taken = proxy.counts.taken
            proxy.cut()
            #expect(proxy.connections == 0)
            #expect(await rows(store) == nil)
            #expect(proxy.counts.taken > taken)
            #expect(proxy.counts.cut > 0)
        }
    }

    @Test func whoIsRefusedIsOutOfReachUntilAdmitted() async throws {
        let clock = TestClock(isFrozen: true)
        try await withStore(clock: clock) { store, proxy, _ in
            proxy.refuse()
            let failure = await rows(store)
            #expect(failure?.kind == .unavailable)
            #expect(failure?.text.contains("Connection refused") == true, "\(String(describing: failure))")
            try proxy.admit()
            clock.advance(by: .seconds(60))
            #expect(await rows(store) == nil)
        }
    }

    @Test func aServerThatIsAwayIsOutOfReach() async throws {
        try await withTemporaryPostgres { server in
            try await server.stop()
            try await withDatabaseProxy(before: server) { proxy in
                let store = PostgresGrantStore.forTest(StoreConfiguration(owner: "test", url: Secret(proxy.url())))
                #expect(await rows(store)?.kind == .unavailable)
                #expect(proxy.connections == 0)
            }
        }
    }

    @Test func aNetworkThatSwallowsEverythingEndsInTheStatementsDeadline() async throws {
        let clock = TestClock(isFrozen: true)
        try await withStore(clock: clock, { $0.statementDeadline = .milliseconds(500) }) { store, proxy, _ in
            // Connected by then: it is not the connecting that is given up. A busy machine may overrun so short a deadline.
            while await rows(store) != nil { clock.advance(by: .seconds(60)) }
            proxy.halt()
            #expect(await rows(store)?.kind == .timeout)
            proxy.resume()
            clock.advance(by: .seconds(60))
            while await rows(store) != nil { clock.advance(by: .seconds(60)) }
        }
    }

    @Test func aDelayIsKeptInEitherDirection() async throws {
        try await withStore { store, proxy, _ in
            #expect(await rows(store) == nil)
            let delay = Duration.milliseconds(150)
            for (toServer, toClient) in [(delay, .zero), (.zero, delay), (delay, delay)] {
                proxy.delay(toServer: toServer, toClient: toClient)
                let began = ContinuousClock.now
                #expect(await rows(store) == nil)
                #expect(ContinuousClock.now - began >= toServer + toClient)
            }
            try proxy.heal()
            #expect(await rows(store) == nil)
        }
    }

    @Test(arguments: [DatabaseProxy.LostAnswer.cut, .silence])
    func h6AWriteWhoseAnswerIsLostIsFoundStoredWhenItIsMadeAgain(_ ending: DatabaseProxy.LostAnswer) async throws {
        let clock = TestClock(isFrozen: true)
        try await withStore(clock: clock, { $0.statementDeadline = .seconds(2) }) { store, proxy, database in
            let used = try #require(try await store.grants(of: [user]).first).version
            let write = GrantWrite.sample(user, token: "a2", used: used, rotated: "refresh-1b")
            // The statement that writes tokens has these words.
            proxy.loseAnswer(to: "stored AS", then: ending)
            let failure = await store.failure { store async throws(StoreFailure) in try await store.write([write]) }
            // After a cut it is made again at once, and nobody needs to know.
            #expect(failure?.kind == (ending == .cut ? nil : .timeout), "\(String(describing: failure))")
            #expect(proxy.counts.lostAnswers == 1)
            let columns = "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = 1"
            #expect(try await database.query(columns) == "a2|refresh-1b", "the server carried it out")
            clock.advance(by: .seconds(60))
            let outcomes = try await store.write([write])
            guard case .stored = outcomes[user] else { throw Unexpected(outcome: outcomes[user]) }
        }
    }

    @Test func h6OfATransactionTheAnswerToItsEndIsLost() async throws {
        let database = try await TestDatabase()
        try await withDatabaseProxy(before: database.server) { proxy in
            let session = PostgresSession(name: "test", .forTest(url: proxy.url(database: database.name)))
            proxy.loseAnswer(to: "UPDATE")
            let answered = Collected<Int>()
            await #expect(throws: StoreFailure.self) { try await changeAll(session, answered) }
            #expect(answered.all == [2], "its own answer came")
            let emails = try await database.query("SELECT DISTINCT email FROM users")
            #expect(emails == "c")
            #expect(proxy.counts.lostAnswers == 1)
        }
    }

    /// Changes both rows in a transaction, and notes how many the answer to that tells.
    private func changeAll(_ session: PostgresSession, _ answered: Collected<Int>) async throws(StoreFailure) {
        try await session.run(within: .seconds(60)) { connection, deadline throws(StoreError) in
            try connection.transaction(until: deadline) { () throws(StoreError) in
                let update = Statement("test", "UPDATE users SET email = 'c' RETURNING id")
                answered.append([try connection.run(update, until: deadline).rows { $0.text(0) }.count])
            }
        }
    }

    private struct Unexpected: Error {
        let outcome: WriteOutcome?
    }
}
