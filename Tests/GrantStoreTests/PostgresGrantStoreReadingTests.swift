// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantStore

@Suite struct PostgresGrantStoreReadingTests {
    @Test func everyRowIsLoadedWithTokenVersionAndExpiry() async throws {
        let database = try await TestDatabase()
        let rows = try await database.store().loaded()
        let version = try #require(Int64(try await database.query("SELECT hashtextextended('refresh-1', 0)")))
        let first = try #require(rows[UserID("1")])
        #expect(first.grant == .present(version: version))
        #expect(first.accessToken?.reveal() == "access-1")
        #expect(first.expiresAt == .newYear(plus: .seconds(900)))
        #expect(first.memory == nil)
        let second = try #require(rows[UserID("2")])
        #expect(second.accessToken == nil)
        #expect(second.expiresAt == nil)
        #expect(rows.count == 2)
    }

    @Test func manyRowsComeInBatchesAndAllOfThem() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r-' || n FROM generate_series(1, 9998) n"
        )
        let store = database.store()
        let (rows, digests) = (Collected<GrantRow>(), Collected<RowDigest>())
        _ = try await store.load { rows.append($0) }
        _ = try await store.changes(since: nil) { digests.append($0) }
        #expect(Set(rows.all.map(\.user)) == Set((1...10_000).map { UserID(String($0)) }))
        #expect(Set(digests.all.map(\.user)).count == 10_000)
        #expect(rows.sizes.max() == 1000)
    }

    @Test func anEmptyTableIsLoadedWithoutABatch() async throws {
        let database = try await TestDatabase()
        try await database.execute("DELETE FROM users")
        let rows = Collected<GrantRow>()
        _ = try await database.store().load { rows.append($0) }
        #expect(rows.all.isEmpty)
    }

    @Test func othersAreReadAndWrittenWhileAPassIsTakenIn() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let seen = Collected<GrantRow>()
        _ = try await store.load { batch in
            // The pass waits for this closure, and its connection with it.
            if let rows = try? await store.rows(of: batch.map(\.user)) { seen.append(rows) }
        }
        #expect(seen.all.count == 2)
    }

    @Test func aSecondPassAtTheSameTimeIsTurnedAway() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let failures = Collected<StoreFailure>()
        _ = try await store.load { _ in
            let failure = await store.failure { store async throws(StoreFailure) in
                try await store.changes(since: nil) { _ in }
            }
            failures.append(failure.map { [$0] } ?? [])
        }
        #expect(failures.all.map(\.kind) == [.unavailable])
        #expect(try await store.digested().count == 2)
    }

    @Test func aCancelledPassEndsAndTheNextOneWorks() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(1, 5000) n"
        )
        let store = database.store()
        let rows = Collected<GrantRow>()
        let pass = Task {
            _ = try await store.load { batch in
                rows.append(batch)
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: StoreFailure.self) { try await pass.value }
        #expect(rows.all.count == 1000)
        #expect(try await store.digested().count == 5002)
    }

    struct OddToken: CustomTestStringConvertible, Sendable {
        let sql: String
        let isNone: Bool
        let reason: String?
        var testDescription: String { sql }

        init(_ sql: String, none: Bool = false, reason: String? = nil) {
            (self.sql, self.isNone, self.reason) = (sql, none, reason)
        }
    }

    static let oddTokens = [
        OddToken("NULL", none: true),
        OddToken("''", none: true),
        OddToken("E' \\t\\r\\n\\f\\x0b '", none: true),
        OddToken("'a'"),
        OddToken("'NULL'"),
        OddToken("E'\\\\N'"),
        OddToken("'with space \"quotes\" and \\ backslash'"),
        OddToken("repeat('x', 16384)"),
        OddToken("repeat('x', 16385)", reason: "16384 bytes"),
        OddToken("E'token\\n'", reason: "character"),
        OddToken("E'to\\tken'", reason: "character"),
        OddToken("E'to\\x7fken'", reason: "character"),
        OddToken("E'\\x01'", reason: "character"),
        OddToken("'tökén'", reason: "character"),
        OddToken("E'\\u200btoken'", reason: "character"),
    ]

    @Test(arguments: oddTokens) func whatIsNoTokenIsNoneOrUnreadable(_ odd: OddToken) async throws {
        let database = try await TestDatabase()
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = \(odd.sql) WHERE id = 1")
        let store = database.store()
        let loaded = try await store.loaded()[UserID("1")]
        let row = try await store.rows(of: [UserID("1")]).first
        let grant = try await store.grants(of: [UserID("1")]).first
        let digest = try await store.digested()[UserID("1")]
        #expect(loaded == row)
        let hash = try await database.query(
            "SELECT hashtextextended(tastytrade_oauth_refresh_token, 0) FROM users WHERE id = 1"
        )
        switch (row?.grant, odd.reason) {
        case (.some(.none), nil):
            #expect(odd.isNone)
            #expect(grant == nil)
            #expect(digest?.grantVersion == nil)
        case (.present(let version), nil):
            #expect(!odd.isNone)
            #expect(String(version) == hash)
            let stored = try await database.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 1")
            #expect(try grant?.refreshToken.get().reveal() == stored)
            #expect(digest?.grantVersion == version)
        case (.unreadable(let version, let reason), .some(let expected)):
            #expect(String(version) == hash)
            #expect(reason.contains(expected))
            #expect(throws: UnreadableGrant.self) { try grant?.refreshToken.get() }
            #expect(digest?.grantVersion == version)
        default: Issue.record("\(odd.sql) was read as \(String(describing: row?.grant))")
        }
    }

    @Test(arguments: [
        ("E'acc\\ness'", "access token"), ("repeat('x', 16385)", "16384"), ("E'\\\\.'", nil), ("E' \\n'", nil),
    ]) func anAccessTokenThatIsNoneKeepsTheGrantFromBeingUsed(_ sql: String, _ reason: String?) async throws {
        let database = try await TestDatabase()
        try await database.execute("UPDATE users SET tastytrade_oauth_token = \(sql) WHERE id = 1")
        let store = database.store()
        let row = try #require(try await store.loaded()[UserID("1")])
        let grant = try #require(try await store.grants(of: [UserID("1")]).first)
        if let reason {
            guard case .unreadable(_, let said) = row.grant else { throw UnexpectedGrant(grant: row.grant) }
            #expect(said.contains(reason))
            #expect(row.accessToken == nil)
            #expect(throws: UnreadableGrant.self) { try grant.refreshToken.get() }
        } else {
            guard case .present = row.grant else { throw UnexpectedGrant(grant: row.grant) }
            #expect(try grant.refreshToken.get().reveal() == "refresh-1")
        }
    }

    struct UnexpectedGrant: Error {
        let grant: GrantRow.Grant
    }

    @Test(arguments: ["'infinity'", "'-infinity'", "'9999-01-01'", "'0001-01-01 BC'", "'1969-12-31 23:59:59'"])
    func anExpiryThatNoTokenHasIsUnknown(_ sql: String) async throws {
        let database = try await TestDatabase()
        try await database.execute("UPDATE users SET tastytrade_oauth_expires_at = \(sql) WHERE id = 1")
        let store = database.store()
        #expect(try await store.loaded()[UserID("1")]?.expiresAt == nil)
        #expect(try await store.digested()[UserID("1")]?.expiresAt == nil)
    }

    @Test func usersWithoutARowOrWithAnImpossibleIdAreMissing() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let users = ["1", "99", "01", "+1", "1;", "", "abc", "9223372036854775808", "1\0", "{2}"].map(UserID.init)
        #expect(try await store.rows(of: users).map(\.user) == [UserID("1")])
        #expect(try await store.grants(of: users).map(\.user) == [UserID("1")])
        #expect(try await store.rows(of: []).isEmpty)
    }

    @Test func grantsAreAsTheyStandInTheRowNow() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let before = try #require(try await store.grants(of: [UserID("1")]).first)
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'another' WHERE id = 1")
        let after = try #require(try await store.grants(of: [UserID("1")]).first)
        #expect(try after.refreshToken.get().reveal() == "another")
        #expect(before.version != after.version)
    }
}
