// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// A pass that goes on where the last one was tells what was changed, and little else.
@Suite(.serialized) struct TablePassTests {
    struct Change: CustomTestStringConvertible, Sendable {
        let sql: String
        /// The users that are told.
        let told: [String]
        let rowCount: Int
        var testDescription: String { sql }

        init(_ sql: String, told: [String], rowCount: Int = 2) {
            (self.sql, self.told, self.rowCount) = (sql, told, rowCount)
        }
    }

    static let changes = [
        Change("SELECT 1", told: []),
        Change("INSERT INTO users (tastytrade_oauth_refresh_token) VALUES ('new')", told: ["3"], rowCount: 3),
        Change("UPDATE users SET tastytrade_oauth_refresh_token = 'new' WHERE id = 2", told: ["2"]),
        Change("UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 1", told: ["1"]),
        Change("UPDATE users SET tastytrade_oauth_expires_at = now() + interval '1 h' WHERE id = 1", told: ["1"]),
        Change("UPDATE users SET id = 7 WHERE id = 1", told: ["7"]),
        Change("DELETE FROM users WHERE id = 1", told: [], rowCount: 1),
        Change("TRUNCATE users", told: [], rowCount: 0),
        Change("COPY users (tastytrade_oauth_refresh_token) FROM STDIN;\na\nb\n\\.\n", told: ["3", "4"], rowCount: 4),
        Change("BEGIN; SAVEPOINT a; UPDATE users SET email = 'c' WHERE id = 2; RELEASE a; COMMIT", told: ["2"]),
        Change("VACUUM FULL users", told: []),
        Change("VACUUM FREEZE users", told: []),
        Change("DELETE FROM users WHERE id = 1; INSERT INTO users (id) VALUES (9)", told: ["9"]),
    ]

    static let tables = [TestDatabase.railsTable, TestDatabase.partitionedTable]

    @Test(arguments: changes, tables) func whatWasChangedIsTold(_ change: Change, _ table: String) async throws {
        let database = try await TestDatabase(setUp: table)
        let store = database.store()
        let mark = try #require(try await store.load { _ in })
        try await database.execute(change.sql)
        let digests = Collected<RowDigest>()
        let pass = try await store.changes(since: mark) { digests.append($0) }
        // The server's own housekeeping may hold the mark back, so that a row is told that was made before it.
        #expect(Set(digests.all.map(\.user.text)).isSuperset(of: change.told))
        #expect(pass.rowCount == change.rowCount)
        #expect(!pass.isComplete)
    }

    @Test func whatWasNotChangedIsNotTold() async throws {
        try await withTemporaryPostgresOfItsOwn { database, store in
            let mark = try await store.load { _ in }
            try await database.execute("UPDATE users SET email = 'c' WHERE id = 2")
            #expect(try await store.digested(since: mark).keys.map(\.text) == ["2"])
            let next = try await store.changes(since: mark) { _ in }
            #expect(try await store.digested(since: next.mark).isEmpty)
        }
    }

    @Test func whatATransactionUnderWayChangesIsToldOnceItIsOver() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let writer = database.session()
        try await writer.query("BEGIN")
        try await writer.query("SAVEPOINT within")
        try await writer.query("UPDATE users SET tastytrade_oauth_refresh_token = 'late' WHERE id = 1 RETURNING id")
        // Others are done before it, and after it.
        try await database.execute("UPDATE users SET email = 'c' WHERE id = 2")
        let first = try await store.load { _ in }
        let second = try await store.changes(since: first) { _ in }
        #expect(second.rowCount == 2)
        try await writer.query("COMMIT")
        let changed = try #require(try await store.digested(since: second.mark)[UserID("1")])
        let version = try await store.grants(of: [UserID("1")]).first?.version
        #expect(changed.grantVersion == version)
    }

    @Test(arguments: [
        PassMark(origin: "elsewhere", transaction: 1), PassMark(origin: "", transaction: .max), nil,
    ]) func aMarkThatMeansNothingGivesEveryRow(_ mark: PassMark?) async throws {
        let database = try await TestDatabase()
        let pass = try await database.store().changes(since: mark) { _ in }
        #expect(pass.isComplete)
        #expect(pass.rowCount == 2)
        #expect(try await database.store().digested(since: mark).count == 2)
    }

    @Test(arguments: [(-1, false), (1, true), (1 << 30, true), ((1 << 30) + 1, false)])
    func aMarkFromTheFutureOrTheDistantPastIsNotGoneOnWith(_ age: Int64, _ isUsed: Bool) {
        let here = PassMark(origin: "here", transaction: (7 << 32) + 100)
        let position = PassPosition(mark: here, next: here.transaction + 1, pages: 1)
        let mark = PassMark(origin: "here", transaction: position.next - age)
        #expect((position.horizon(since: mark) != nil) == (isUsed && age < 1 << 30))
    }

    @Test func theTransactionIsTheCataloguesThirtyTwoBits() {
        let here = PassMark(origin: "here", transaction: (7 << 32) + 100)
        #expect(PassPosition(mark: here, next: here.transaction, pages: 1).horizon(since: here) == "100")
    }

    @Test func aServerThatWasStartedAnewIsReadAsAWhole() async throws {
        try await withTemporaryPostgresOfItsOwn { database, store in
            let mark = try await store.load { _ in }
            try await database.server.stop()
            try await database.server.start()
            #expect(try await store.changes(since: mark) { _ in }.isComplete)
        }
    }

    @Test func aViewIsReadAsAWhole() async throws {
        let database = try await TestDatabase()
        try await database.execute("CREATE VIEW connected AS SELECT * FROM users")
        let store = database.store { $0.table.table = "connected" }
        #expect(try await store.load { _ in } == nil)
        let pass = try await store.changes(since: nil) { _ in }
        #expect(pass == TablePass(mark: nil, isComplete: true, rowCount: 2))
    }

    @Test func aRoleThatMayNotSeeWhereRowsLieReadsTheTableAsAWholeAndSaysSo() async throws {
        let database = try await TestDatabase()
        let role = "shortsighted_\(database.name)"
        let columns = "id, tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at"
        try await database.execute(
            "CREATE ROLE \(role) LOGIN; GRANT SELECT (\(columns)), UPDATE (\(columns)) ON users TO \(role)"
        )
        let store = database.store(user: role)
        #expect(try await store.load { _ in } == nil)
        let notice = try #require(store.report?.notices.first { $0.contains("ctid") })
        #expect(try await store.digested().count == 2)
        let grant = try #require(notice.split(separator: ": ").last)
        try await database.execute(String(grant))
        try await store.open()
        let mark = try #require(try await store.load { _ in })
        #expect(try await store.changes(since: mark) { _ in }.isComplete == false)
    }

    /// What is measured is printed, and decides nothing.
    @Test func aHundredThousandRowsAreComparedInShortStepsThatReadTheirOwnPagesOnly() async throws {
        try await withTemporaryPostgresOfItsOwn { database, store in
            try await database.execute(
                """
                INSERT INTO users (tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at)
                SELECT repeat('a', 900) || n, repeat('r', 600) || n, now() + interval '1 h'
                FROM generate_series(1, 99998) n; ANALYZE users
                """
            )
            let mark = try await store.load { _ in }
            try await database.execute("UPDATE users SET email = 'c' WHERE id % 1000 = 0")
            let clock = ContinuousClock()
            let (all, some) = (Collected<RowDigest>(), Collected<RowDigest>())
            let whole = try await clock.measure { _ = try await store.changes(since: nil) { all.append($0) } }
            let changed = try await clock.measure { _ = try await store.changes(since: mark) { some.append($0) } }
            #expect(Set(all.all.map(\.user)).count == 100_000)
            #expect(Set(some.all.map(\.user)) == Set((1...100).map { UserID("\($0 * 1000)") }))
            print("100,000 rows: all compared in \(whole), \(some.all.count) changed ones in \(changed)")
            let text = try #require(store.queries?.changes.text)
            let plan = try await database.query(
                "PREPARE p (tid, tid, xid) AS \(text); EXPLAIN EXECUTE p ('(1024,0)', '(2048,0)', '42'); DEALLOCATE p"
            )
            #expect(plan.split(separator: "\n").count { $0.contains("Tid Range Scan") } == 2)
            #expect(!plan.contains("Seq Scan"))
        }
    }

    /// A server without neighbours, whose transactions could hold a mark back.
    private func withTemporaryPostgresOfItsOwn(
        _ body: (TestDatabase, PostgresGrantStore) async throws -> Void
    ) async throws {
        try await withTemporaryPostgres(settings: ["autovacuum = off"]) { server in
            let database = TestDatabase(server: server, name: "postgres")
            try await database.execute(TestDatabase.railsTable)
            try await body(database, database.store())
        }
    }
}
