// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite struct OutageTests {
    private func rows(_ store: PostgresGrantStore) async -> StoreFailure? {
        await store.failure { store async throws(StoreFailure) in try await store.rows(of: [UserID("1")]) }
    }

    @Test(arguments: [TemporaryPostgres.StopMode.fast, .immediate])
    func aServerThatGoesAndComesBackIsUsedAgainAfterTheBackoff(_ mode: TemporaryPostgres.StopMode) async throws {
        try await withTemporaryPostgres { server in
            try await server.execute(TestDatabase.railsTable)
            let clock = TestClock(isFrozen: true)
            let store = PostgresGrantStore.forTest(
                StoreConfiguration(owner: "test", url: Secret(server.url)),
                clock: clock
            )
            #expect(!store.health.isConnected)
            try await store.open()
            #expect(await rows(store) == nil)
            #expect(store.health == StoreHealth(isConnected: true, lastFailure: nil, nextAttemptAt: nil))

            try await server.stop(mode: mode)
            #expect(await rows(store)?.kind == .unavailable)
            #expect(!store.health.isConnected)
            #expect(store.health.lastFailure != nil)
            #expect(store.health.nextAttemptAt != nil)

            try await server.start()
            let tooSoon = await rows(store)
            #expect(tooSoon?.kind == .unavailable)
            #expect(tooSoon?.text.contains("next attempt") == true)

            clock.advance(by: .seconds(1))
            #expect(await rows(store) == nil)
            #expect(store.health.isConnected)
        }
    }

    @Test func aConnectionThatWentStaleIsReplacedUnnoticed() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(await rows(store) == nil)
        try await database.query(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'tastytokend'
            """
        ).discard()
        #expect(await rows(store) == nil)
        #expect(store.health.isConnected)
    }

    @Test func aPassThatLosesItsConnectionFailsAndTheNextOneWorks() async throws {
        let database = try await TestDatabase()
        // More than the kernel's buffers hold, so that the server is still at it when it is stopped.
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_token) SELECT repeat('x', 2000) FROM generate_series(1, 20000)"
        )
        let store = database.store()
        let failure = await store.failure { store async throws(StoreFailure) in
            try await store.load { _ in
                _ = try? await database.query(
                    """
                    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                    WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'
                    """
                )
            }
        }
        #expect(failure?.kind == .unavailable)
        #expect(try await store.digested().count == 20_002)
    }

    @Test func nobodyAtTheAddressIsUnavailable() async throws {
        let store = PostgresGrantStore.forTest(
            StoreConfiguration(owner: "test", url: Secret("postgresql:///x?host=/nonexistent"))
        )
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.text.contains("/nonexistent") == true)
    }

    @Test func aServerThatIsSilentIsGivenUpAtTheConnectDeadline() async throws {
        let listener = try SilentListener()
        var configuration = StoreConfiguration(owner: "test", url: Secret("postgresql:///x?host=\(listener.folder)"))
        configuration.connectDeadline = .milliseconds(200)
        let store = PostgresGrantStore.forTest(configuration)
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.text.contains("did not answer") == true)
        withExtendedLifetime(listener) {}
    }

    @Test func theNextOfSeveralServersIsTriedWhenOneIsSilentOrAway() async throws {
        let database = try await TestDatabase()
        let listener = try SilentListener()
        let hosts = "\(listener.folder),/nonexistent,\(database.server.folder)"
        var configuration = StoreConfiguration(
            owner: "test",
            url: Secret("host=\(hosts) user=postgres dbname=\(database.name)")
        )
        configuration.connectDeadline = .seconds(3)
        #expect(try await PostgresGrantStore.forTest(configuration).open().idType == "bigint")
        withExtendedLifetime(listener) {}
    }

    @Test(arguments: [
        ("user=postgres dbname=no_such_database", "3D000", "database \"no_such_database\" does not exist"),
        ("user=nobody_at_all", "28000", "role \"nobody_at_all\" does not exist"),
        (
            "user=asked_for_password password=x", "28P01",
            "password authentication failed for user \"asked_for_password\""
        ),
        ("user=asked_for_password", nil, "no password supplied"),
    ])
    func aRefusedRoleOrDatabaseIsMisconfigured(_ keywords: String, _ sqlState: String?, _ words: String) async throws {
        let database = try await TestDatabase()
        let store = PostgresGrantStore.forTest(
            StoreConfiguration(owner: "test", url: Secret("host=\(database.server.folder) dbname=postgres \(keywords)"))
        )
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.sqlState == sqlState)
        let text = try #require(failure?.text)
        #expect(text.contains(words) && text.contains("in database.url"), "\(text)")
        #expect(!text.contains("cannot be reached"), "it is no outage: \(text)")
    }

    @Test func aLoginThatIsRefusedWhileTheDaemonRunsIsTriedAgainAndSaidToBeThat() async throws {
        let database = try await TestDatabase()
        let role = "refused_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT ALL ON users TO \(role)")
        let store = database.store(user: role)
        _ = try await store.open()
        try await database.execute("ALTER ROLE \(role) NOLOGIN")
        store.close()
        let failure = await store.failure { store async throws(StoreFailure) in try await store.load { _ in } }
        #expect(
            failure?.text.contains("refuses the login") == true && failure?.isOutOfReach == true,
            "\(String(describing: failure))"
        )
        #expect(store.health.lastFailure?.contains("refuses the login") == true)
    }

    @Test func aStandbyIsUnavailable() async throws {
        let database = try await TestDatabase()
        try await database.execute("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
        let failure = await database.store().failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.text.contains("read-only") == true)
    }

    @Test func aDatabaseThatTurnsReadOnlyIsUnavailable() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.url = Secret(database.url() + "&target_session_attrs=any") }
        let grant = try #require(try await store.grants(of: [UserID("1")]).first)
        try await database.execute("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
        store.close()
        let failure = await store.failure { store async throws(StoreFailure) in
            try await store.write([.sample(grant.user, token: "a", used: grant.version)])
        }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.sqlState == "25006")
    }
}

extension String {
    fileprivate func discard() {}
}
