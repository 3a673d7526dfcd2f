// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// What daemons on one database tell each other.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DaemonNewsTests {
    /// Runs with what two daemons hear, of which the second is spoken to.
    private func listening(
        _ setUp: String = TestDatabase.railsTable,
        _ body: (TestDatabase, PostgresGrantStore, Mailbox<ChangeNews>, Mailbox<ChangeNews>) async throws -> Void
    ) async throws {
        let database = try await TestDatabase(setUp: setUp)
        _ = try await database.store().migrate()
        let (speaker, listener) = (database.store { $0.owner = "speaker" }, database.store { $0.owner = "listener" })
        let (own, news) = (Mailbox<ChangeNews>(), Mailbox<ChangeNews>())
        let tasks = [Task { await speaker.follow { own.send($0) } }, Task { await listener.follow { news.send($0) } }]
        defer { for task in tasks { task.cancel() } }
        #expect(await own.next() == .unknown)
        #expect(await news.next() == .unknown)
        try await body(database, speaker, own, news)
        for task in tasks {
            task.cancel()
            await task.value
        }
    }

    private func writes(
        _ store: PostgresGrantStore,
        _ users: [UserID],
        rotated: String? = nil
    ) async throws -> [GrantWrite] {
        try await store.claim(users, sends: true).map { grant in
            GrantWrite.sample(
                grant.row.user,
                token: "new",
                used: grant.row.grant.version,
                rotated: rotated.map { "\($0)-\(grant.row.user)" },
                claim: grant.hold.claim
            )
        }
    }

    @Test func whatADaemonStoresIsToldToTheOthersOnceABatchAndNotToItself() async throws {
        let many = """
            INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 500) n
            """
        try await listening("\(TestDatabase.railsTable); \(many)") { database, speaker, own, news in
            let users = (1...500).map { UserID(String($0)) }
            let outcomes = try await speaker.write(try await writes(speaker, users))
            #expect(outcomes.values.allSatisfy { if case .stored = $0 { true } else { false } })
            #expect(await news.next() == .users(Set(users)), "all at once")
            // What the speaker hears next is what somebody else changed.
            try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'by hand' WHERE id = 9")
            #expect(await own.next() == .users([UserID("9")]))
        }
    }

    @Test func rotatedAndSalvagedRefreshTokensAreToldToo() async throws {
        try await listening { database, speaker, _, news in
            _ = try await speaker.write(try await writes(speaker, [UserID("1")], rotated: "next"))
            #expect(await news.next() == .users([UserID("1")]))
            let grant = try #require(try await speaker.claim([UserID("2")], sends: true).first)
            let salvage = GrantSalvage(
                user: UserID("2"),
                newRefreshToken: Secret("kept"),
                usedVersion: grant.row.grant.version
            )
            _ = try await speaker.salvage([salvage])
            #expect(await news.next() == .users([UserID("2")]))
            #expect(try await database.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 2") == "kept")
        }
    }

    @Test func aWriteThatDidNothingIsNotTold() async throws {
        try await listening { _, speaker, _, news in
            let stale = GrantWrite.sample(UserID("1"), token: "late", used: 12345)
            #expect(try await speaker.write([stale]) == [UserID("1"): .superseded])
            _ = try await speaker.write(try await writes(speaker, [UserID("2")]))
            #expect(await news.next() == .users([UserID("2")]))
        }
    }

    @Test func claimsThatAreGivenBackAreToldToTheOthers() async throws {
        try await listening { _, speaker, _, news in
            _ = try await speaker.claim([UserID("1"), UserID("2")], sends: true)
            try await speaker.releaseClaims()
            #expect(await news.next() == .released([UserID("1"), UserID("2")]))
        }
    }

    @Test func longIDsAreToldInParts() async throws {
        let setUp = TestDatabase.railsTable.replacing(
            "bigserial PRIMARY KEY",
            with: "text PRIMARY KEY DEFAULT gen_random_uuid()"
        )
        try await listening(setUp) { database, speaker, _, news in
            let users = (0..<40).map { UserID(String(repeating: "x", count: 900) + "\($0)") }
            let strange = [UserID("a\u{1F}b"), UserID("line\nbreak"), UserID(String(repeating: "y", count: 1100))]
            for user in users + strange {
                try await database.execute(
                    "INSERT INTO users (id, tastytrade_oauth_refresh_token) VALUES ('\(user.text)', 'r')"
                )
            }
            let last = UserID("last")
            try await database.execute("INSERT INTO users (id, tastytrade_oauth_refresh_token) VALUES ('last', 'r')")
            // What the trigger told of these.
            var found: Set<UserID> = []
            while !found.contains(last) { if case .users(let users) = await news.next() { found.formUnion(users) } }
            let outcomes = try await speaker.write(try await writes(speaker, users + strange))
            #expect(outcomes.values.allSatisfy { if case .stored = $0 { true } else { false } })
            try await database.execute("DELETE FROM users WHERE id = 'last'")
            var told: Set<UserID> = []
            while !told.contains(last) { if case .users(let users) = await news.next() { told.formUnion(users) } }
            #expect(told == Set(users + [UserID("line\nbreak"), last]), "what cannot be told is found by a pass")
        }
    }
}
