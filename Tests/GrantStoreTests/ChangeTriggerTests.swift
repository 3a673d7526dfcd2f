// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite(.serialized) struct ChangeTriggerTests {
    struct Change: CustomTestStringConvertible, Sendable {
        let sql: String
        let payloads: [String]
        var testDescription: String { sql }

        init(_ sql: String, _ payloads: [String]) {
            (self.sql, self.payloads) = (sql, payloads)
        }
    }

    static let changes = [
        Change("UPDATE users SET tastytrade_oauth_refresh_token = 'new' WHERE id = 1", ["u1"]),
        Change("UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 1", ["u1"]),
        Change("UPDATE users SET tastytrade_oauth_token = 'new'", ["u1", "u2"]),
        Change("UPDATE users SET tastytrade_oauth_expires_at = NULL WHERE id = 1", ["u1"]),
        Change("UPDATE users SET tastytrade_oauth_refresh_token = 'refresh-1' WHERE id = 1", []),
        Change("UPDATE users SET email = 'new', updated_at = now()", []),
        Change("UPDATE users SET id = 7 WHERE id = 1", ["u1", "u7"]),
        Change("INSERT INTO users (email) VALUES ('c')", ["u3"]),
        Change("INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING", []),
        Change("DELETE FROM users WHERE id = 2", ["u2"]),
        Change("BEGIN; DELETE FROM users; ROLLBACK", []),
        Change("BEGIN; SAVEPOINT a; DELETE FROM users; ROLLBACK TO a; DELETE FROM users WHERE id = 1; COMMIT", ["u1"]),
        Change("TRUNCATE users", ["*"]),
        Change("COPY users (email) FROM STDIN;\na\nb\n\\.\n", ["u3", "u4"]),
        Change(
            "INSERT INTO users (email) SELECT 'x' FROM generate_series(1, 5000)",
            (3...102).map { "u\($0)" } + ["*"]
        ),
        Change(
            "BEGIN; UPDATE users SET tastytrade_oauth_token = 'a' WHERE id = 1; "
                + "UPDATE users SET tastytrade_oauth_token = 'b' WHERE id = 1; COMMIT",
            ["u1"]
        ),
    ]

    static let tables = [
        TestDatabase.railsTable, TestDatabase.railsTable.replacing("text", with: "citext"),
        TestDatabase.partitionedTable,
    ]

    @Test(arguments: changes, tables) func onlyWhatReallyChangedIsTold(_ change: Change, _ table: String) async throws {
        let database = try await TestDatabase(setUp: "CREATE EXTENSION citext; " + table)
        _ = try await database.store().migrate()
        let listener = try await Listener(database)
        try await database.execute(change.sql)
        #expect(try await listener.payloads() == change.payloads)
    }

    @Test func aChangeOfCaseIsAChange() async throws {
        let database = try await TestDatabase(
            setUp: "CREATE EXTENSION citext; " + TestDatabase.railsTable.replacing("text", with: "citext")
        )
        _ = try await database.store().migrate()
        let listener = try await Listener(database)
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'REFRESH-1' WHERE id = 1")
        #expect(try await listener.payloads() == ["u1"])
    }

    @Test(arguments: [
        ("'it''s \"{a},b\\'", "uit's \"{a},b\\"), ("E'two\\nlines'", "utwo\nlines"), ("''", "u"), ("'ö€'", "uö€"),
        ("repeat('x', 1000)", "u" + String(repeating: "x", count: 1000)), ("repeat('x', 1001)", "*"),
        ("repeat('ö', 1000)", "*"), ("(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 80) n)", "*"),
    ]) func anOddIdFailsNothing(_ sql: String, _ payload: String) async throws {
        let database = try await TestDatabase(
            setUp: TestDatabase.railsTable.replacing("id bigserial", with: "id text DEFAULT random()::text")
        )
        _ = try await database.store().migrate()
        let listener = try await Listener(database)
        try await database.execute("INSERT INTO users (id) VALUES (\(sql))")
        #expect(try await listener.payloads() == [payload])
        #expect(try await database.query("SELECT count(*) FROM users WHERE id = \(sql)") == "1")
    }

    @Test func ourOwnWritesAreToldOnceAndNotRowByRow() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        _ = try await store.migrate()
        let listener = try await Listener(database)
        let grants = try await store.grants(of: [UserID("1"), UserID("2")])
        let writes = grants.map { GrantWrite.sample($0.user, token: "ours", used: $0.version) }
        #expect(try await store.write(writes).count == 2)
        let told = try await listener.payloads()
        #expect(told.count == 1 && told.first.flatMap { DaemonNews($0) }?.users == [UserID("1"), UserID("2")])
        // The setting went with its transaction, not with the connection.
        try await store.writes.query("UPDATE users SET tastytrade_oauth_token = 'theirs' WHERE id = 1")
        #expect(try await listener.payloads() == ["u1"])
    }

    @Test func aRoleWithoutAnyRightOnOurSchemaWritesAsBefore() async throws {
        let database = try await TestDatabase()
        let role = "application_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT ALL ON users, users_id_seq TO \(role)")
        _ = try await database.store().migrate()
        try await database.execute(
            "REVOKE ALL ON FUNCTION tastytokend.tell_changes() FROM PUBLIC; REVOKE ALL ON SCHEMA tastytokend FROM PUBLIC"
        )
        let listener = try await Listener(database)
        let application = database.session(user: role)
        try await application.query("INSERT INTO users (email) VALUES ('c')")
        try await application.query("UPDATE users SET tastytrade_oauth_refresh_token = 'new' WHERE id = 1")
        try await application.query("DELETE FROM users WHERE id = 2")
        try await application.query("TRUNCATE users")
        #expect(try await listener.payloads() == ["u3", "u1", "u2", "*"])
    }

    /// What an application's own migrations may do, with the trigger there and a connection that has used it.
    @Test(arguments: [
        "ALTER TABLE users DROP COLUMN tastytrade_oauth_expires_at",
        "ALTER TABLE users RENAME COLUMN tastytrade_oauth_refresh_token TO another",
        "ALTER TABLE users ALTER COLUMN tastytrade_oauth_token TYPE varchar(50)",
        "ALTER TABLE users ALTER COLUMN id TYPE text", "ALTER TABLE users RENAME COLUMN id TO key",
        "DROP FUNCTION pg_temp.nothing()",
        "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people",
        "SET search_path = ''", "SET tastytokend.told = 'nonsense'",
        "SET default_transaction_isolation = 'serializable'",
    ]) func whateverBecomesOfTheTableTheWriteGoesThrough(_ sql: String) async throws {
        let database = try await TestDatabase()
        _ = try await database.store().migrate()
        let application = database.session()
        try await application.query("CREATE FUNCTION pg_temp.nothing() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        try await application.query("UPDATE public.users SET email = 'x', tastytrade_oauth_token = 'one'")
        for statement in sql.split(separator: "; ") { try await application.query(String(statement)) }
        let changed = try await application.query("UPDATE public.users SET tastytrade_oauth_token = 'two' RETURNING 1")
        #expect(changed == ["1", "1"])
        try await application.query("DELETE FROM public.users")
    }

    /// A session that listens.
    private struct Listener {
        let session: PostgresSession

        init(_ database: TestDatabase) async throws {
            session = database.session()
            try await session.query("LISTEN \(ChangeTrigger.channel)")
        }

        /// What was told since the last call. Whatever was committed before our own word comes before it.
        func payloads() async throws -> [String] {
            try await session.query("NOTIFY \(ChangeTrigger.channel), 'end'")
            let all = try await session.run(within: .seconds(10)) { connection, _ throws(StoreError) in
                try connection.takeNotifications()
            }
            #expect(all.last == "end")
            return Array(all.dropLast())
        }
    }
}
