// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite(.serialized, .timeLimit(.minutes(5))) struct ChangeListenerTests {
    private func follow(
        _ store: PostgresGrantStore,
        _ body: (Mailbox<ChangeNews>) async throws -> Void
    ) async throws {
        let news = Mailbox<ChangeNews>()
        let following = Task { await store.follow { news.send($0) } }
        defer { following.cancel() }
        try await body(news)
        following.cancel()
        // Whoever is called off ends.
        await following.value
    }

    private func migrated(
        _ adjust: (inout StoreConfiguration) -> Void = { _ in }
    ) async throws -> (
        TestDatabase, PostgresGrantStore
    ) {
        let database = try await TestDatabase()
        _ = try await database.store().migrate()
        return (database, database.store(adjust))
    }

    @Test func aChangeIsTold() async throws {
        let (database, store) = try await migrated()
        #expect(store.feed != .notifications)
        try await follow(store) { news in
            #expect(await news.next() == .unknown)
            #expect(store.feed == .notifications)
            try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'new' WHERE id = 1")
            #expect(await news.next() == .users([UserID("1")]))
            try await database.execute("INSERT INTO users (email) SELECT 'x' FROM generate_series(1, 1000)")
            #expect(await news.next() == .unknown)
        }
    }

    @Test func aConnectionThatIsLostIsMadeAnewAndWhatWasMissedIsAskedFor() async throws {
        let (database, store) = try await migrated()
        try await follow(store) { news in
            #expect(await news.next() == .unknown)
            _ = try await database.query(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND query = 'LISTEN tastytokend'
                """
            )
            #expect(await news.next() == .unknown)
            try await database.execute("DELETE FROM users WHERE id = 1")
            #expect(await news.next() == .users([UserID("1")]))
        }
    }

    @Test func aTriggerThatComesLaterIsNoticed() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.listenCheckEvery = .milliseconds(50) }
        try await follow(store) { news in
            _ = try await database.store().migrate()
            #expect(await news.next() == .unknown)
            #expect(store.feed == .notifications)
        }
    }

    @Test func aTriggerThatGoesIsNoticedAndSaid() async throws {
        let (database, store) = try await migrated { $0.listenCheckEvery = .milliseconds(50) }
        try await follow(store) { news in
            #expect(await news.next() == .unknown)
            try await database.execute("DROP TRIGGER tastytokend_changes ON users")
            try await until { store.feed != .notifications }
            guard case .polling(let reason) = store.feed else {
                Issue.record("notifications again, without a trigger")
                return
            }
            #expect(reason.contains("tastytokend migrate"))
            // A new one, and it goes on.
            _ = try await database.store().migrate()
            #expect(await news.next() == .unknown)
        }
    }

    @Test func theListenersOwnAddressIsUsedAndNamedInComplaints() async throws {
        let (_, store) = try await migrated { $0.listenURL = Secret("host=/tmp port=x") }
        try await follow(store) { _ in
            try await until {
                if case .polling(let reason) = store.feed { reason.contains("listenUrl") } else { false }
            }
        }
    }

    @Test(
        arguments: [
            ([], []), (["p1", "", "x", "🦊", "d", "dme", "r", "rme"], []),
            (["u1", "u2", "u1"], [.users([UserID("1"), UserID("2")])]),
            (["u1", "*"], [.unknown]), (["u"], [.users([UserID("")])]), (["u*"], [.users([UserID("*")])]),
            ((0...10_000).map { "u\($0)" }, [.unknown]),
            (["dme\u{1F}1\u{1F}2", "rme\u{1F}3"], []),
            (["dyou\u{1F}1\u{1F}", "u2"], [.users([UserID("1"), UserID(""), UserID("2")])]),
            (["ryou\u{1F}1", "rthey\u{1F}2\u{1F}3"], [.released([UserID("1"), UserID("2"), UserID("3")])]),
            (["*", "ryou\u{1F}1"], [.unknown, .released([UserID("1")])]),
        ] as [([String], [ChangeNews])]
    ) func payloadsAreUnderstood(_ payloads: [String], _ news: [ChangeNews]) {
        #expect(ChangeListener.news(payloads, for: "me") == news)
    }

    /// Looks again after every turn of the lane; the suite carries a time limit.
    private func until(_ condition: () -> Bool) async throws {
        while !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// Through a pooler that gives every transaction another connection.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PoolerTests {
    private func withPooler(
        _ body: (TestDatabase, _ url: String) async throws -> Void
    ) async throws {
        let database = try await TestDatabase()
        let pooler = try await TemporaryPooler.start(before: database.server)
        do {
            try await body(database, pooler.url(database: database.name))
            await pooler.tearDown()
        } catch {
            await pooler.tearDown()
            throw error
        }
    }

    @Test func aLookFindsOutThatNotificationsAreSwallowed() async throws {
        try await withPooler { database, url in
            let store = database.store {
                $0.url = Secret(url)
                $0.migratesAtStart = false
                $0.proofDeadline = .milliseconds(500)
            }
            let reason = await store.reasonNotificationsFail()
            #expect(reason?.contains("database.listenUrl") == true, "\(reason ?? "nil")")
        }
    }

    private func refreshThroughClaims(_ store: PostgresGrantStore) async throws {
        let user = UserID("1")
        for round in 1...10 {
            let claimed = try #require(try await store.claim([user]).first)
            guard case .claimed(let claim) = claimed.hold else {
                Issue.record("not claimed: \(claimed.hold)")
                return
            }
            let sample = GrantWrite.sample(user, token: "c\(round)", used: claimed.row.grant.version)
            let write = GrantWrite(user: user, answer: sample.answer, usedVersion: sample.usedVersion, claim: claim)
            // Waiting, a transaction of several statements with settings of its own.
            let outcome = try await store.write([write], waiting: round.isMultiple(of: 2))
            #expect(outcome == [user: .stored(grantVersion: sample.usedVersion)])
            try await store.end([ClaimEnd(claim, keptFor: .zero)])
            let salvage = GrantSalvage(
                user: user,
                newRefreshToken: Secret("s\(round)"),
                usedVersion: sample.usedVersion
            )
            guard case .stored? = try await store.salvage([salvage])[user] else {
                Issue.record("not salvaged in round \(round)")
                return
            }
        }
    }

    /// Has the pooler open several connections, by transactions that are open at the same time.
    private func openSeveral(_ url: String) async throws {
        let sessions = (1...3).map { PostgresSession(name: "opener-\($0)", .forTest(url: url)) }
        for session in sessions { try await session.query("BEGIN") }
        for session in sessions { try await session.query("COMMIT") }
        for session in sessions { session.close() }
    }

    /// Looks at each of the pooler's own connections, which take turns.
    private func nothingIsLeftOnConnections(_ database: TestDatabase, _ url: String) async throws {
        let session = PostgresSession(name: "looker", .forTest(url: url))
        var seen: Set<String> = []
        for _ in 1...12 {
            let found = try await session.query(
                """
                SELECT concat_ws('/', pg_backend_pid(), current_setting('lock_timeout'), current_setting('statement_timeout'),
                    current_setting('idle_in_transaction_session_timeout'), current_setting('work_mem'),
                    current_setting('tastytokend.own_write', true))
                """
            )
            let parts = try #require(found.first).split(separator: "/", omittingEmptySubsequences: false)
            seen.insert(String(parts[0]))
            #expect(["0/0/0/4MB", "0/0/0/4MB/"].contains(parts.dropFirst().joined(separator: "/")))
        }
        #expect(seen.count > 1, "more than one connection was looked at")
        session.close()
    }

    @Test func everythingWorksButNotifications() async throws {
        try await withPooler { database, url in
            let store = database.store {
                $0.url = Secret(url)
                $0.proofDeadline = .milliseconds(500)
            }
            #expect(try await store.migrate().statements.isEmpty == false)
            try await openSeveral(url)
            let mark = try #require(try await store.load { _ in })
            for round in 1...20 {
                let grants = try await store.grants(of: [UserID("1"), UserID("2")])
                #expect(grants.count == 2)
                let writes = grants.map { GrantWrite.sample($0.user, token: "t\(round)", used: $0.version) }
                #expect(
                    try await store.write(writes).values.allSatisfy { if case .stored = $0 { true } else { false } }
                )
                let note = GrantNote(
                    user: UserID("1"),
                    status: .degraded,
                    grantVersion: 1,
                    consecutiveFailures: round,
                    lastError: nil
                )
                try await store.remember([note])
                #expect(try await store.changes(since: mark) { _ in }.isComplete == false)
            }
            #expect(try await store.rows(of: [UserID("1")]).first?.accessToken?.reveal() == "t20")
            try await refreshThroughClaims(store)
            try await nothingIsLeftOnConnections(database, url)
            let following = Task { await store.follow { _ in Issue.record("news through a transaction pooler") } }
            while true {
                if case .polling(let reason) = store.feed, reason.contains("pooler") { break }
                try Task.checkCancellation()
                await Task.yield()
            }
            #expect(store.feed.words == "changes by polling")
            following.cancel()
            await following.value
        }
    }

    @Test func aDirectConnectionBesideItListens() async throws {
        try await withPooler { database, url in
            _ = try await database.store().migrate()
            let store = database.store {
                $0.url = Secret(url)
                $0.listenURL = Secret(database.url())
            }
            let news = Mailbox<ChangeNews>()
            let following = Task { await store.follow { news.send($0) } }
            #expect(await news.next() == .unknown)
            #expect(store.feed == .notifications)
            // Our own writes come through the pooler, and are not told.
            let grant = try #require(try await store.grants(of: [UserID("1")]).first)
            _ = try await store.write([.sample(grant.user, token: "ours", used: grant.version)])
            try await database.execute("UPDATE users SET tastytrade_oauth_token = 'theirs' WHERE id = 2")
            #expect(await news.next() == .users([UserID("2")]))
            following.cancel()
            await following.value
        }
    }
}
