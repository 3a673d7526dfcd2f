// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite struct TableInspectionTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        /// Changes the table as Rails makes it.
        let sql: String
        var table = GrantTable()
        /// What the failure must say.
        let words: [String]
        var testDescription: String { words.joined(separator: ", ") }
    }

    static let faults = [
        Fault(sql: "DROP TABLE users", words: ["no table \"users\"", "postgres", "search_path", "database.table"]),
        Fault(
            sql: "CREATE SCHEMA app; ALTER TABLE users SET SCHEMA app",
            words: ["no table \"users\"", "Did you mean app.users?"]
        ),
        Fault(sql: "", table: GrantTable(table: "nowhere.users"), words: ["\"nowhere\".\"users\"", "public.users"]),
        Fault(
            sql: "ALTER TABLE users DROP tastytrade_oauth_token",
            words: ["no column \"tastytrade_oauth_token\"", "database.columns.accessToken"]
        ),
        Fault(sql: "", table: GrantTable(id: "uid"), words: ["no column \"uid\"", "database.columns.id"]),
        Fault(sql: "ALTER TABLE users ALTER id TYPE numeric", words: ["\"id\"", "numeric", "bigint"]),
        Fault(
            sql: "ALTER TABLE users ALTER tastytrade_oauth_token TYPE bytea USING NULL",
            words: ["\"tastytrade_oauth_token\"", "bytea", "text"]
        ),
        Fault(
            sql: "ALTER TABLE users ALTER tastytrade_oauth_expires_at TYPE bigint USING 0",
            words: ["\"tastytrade_oauth_expires_at\"", "bigint", "timestamp"]
        ),
        Fault(
            sql: """
                ALTER TABLE users DROP tastytrade_oauth_token,
                    ADD tastytrade_oauth_token text GENERATED ALWAYS AS ('x') STORED
                """,
            words: ["\"tastytrade_oauth_token\"", "generated"]
        ),
        Fault(
            sql: "CREATE MATERIALIZED VIEW copy AS SELECT * FROM users",
            table: GrantTable(table: "copy"),
            words: ["neither a table nor a view"]
        ),
        Fault(sql: "", table: GrantTable(table: "users; DROP TABLE users"), words: ["database.table", "SQL"]),
        Fault(sql: "", table: GrantTable(id: "a.b"), words: ["database.columns.id", "single name"]),
        Fault(
            sql: "",
            table: GrantTable(accessToken: "token", refreshToken: "TOKEN"),
            words: ["database.columns.accessToken", "database.columns.refreshToken", "same column"]
        ),
    ]

    @Test(arguments: faults) func whatIsWrongIsSaidPrecisely(_ fault: Fault) async throws {
        let database = try await TestDatabase()
        try await database.execute(fault.sql)
        let store = database.store { $0.table = fault.table }
        let failure = try #require(await store.failure { store async throws(StoreFailure) in try await store.open() })
        #expect(failure.kind == .misconfigured)
        for word in fault.words { #expect(failure.text.contains(word), "\(failure.text)") }
        #expect(await store.failure { store async throws(StoreFailure) in try await store.load { _ in } } == failure)
    }

    @Test func everythingThatIsWrongIsSaidAtOnceALineForEach() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "ALTER TABLE users DROP tastytrade_oauth_token, ALTER tastytrade_oauth_expires_at TYPE bigint USING 0"
        )
        let role = "bare_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT (id) ON users TO \(role)")
        let store = database.store(user: role)
        let failure = try #require(await store.failure { store async throws(StoreFailure) in try await store.open() })
        let wanted = [
            "no column \"tastytrade_oauth_token\"",
            "may not read \"public\".\"users\".\"tastytrade_oauth_refresh_token\"",
            "may not write \"public\".\"users\".\"tastytrade_oauth_refresh_token\"", "is of type bigint",
            "may not read \"public\".\"users\".\"tastytrade_oauth_expires_at\"",
            "may not write \"public\".\"users\".\"tastytrade_oauth_expires_at\"",
        ]
        #expect(failure.lines.count == wanted.count)
        for (line, words) in zip(failure.lines, wanted) { #expect(line.contains(words), "\(line)") }
        #expect(failure.text == failure.lines.joined(separator: " "))
    }

    @Test func aMissingRightIsNamedWithTheGrantThatGivesIt() async throws {
        let database = try await TestDatabase()
        let role = "limited_\(database.name)"
        let store = database.store(user: role)
        func complaint() async -> String? {
            await store.failure { store async throws(StoreFailure) in try await store.open() }?.text
        }
        try await database.execute("CREATE ROLE \(role) LOGIN")
        #expect(try #require(await complaint()).contains("GRANT SELECT (\"id\")"))
        try await database.execute("GRANT SELECT ON users TO \(role)")
        #expect(try #require(await complaint()).contains("GRANT UPDATE (\"tastytrade_oauth_token\")"))
        try await database.execute(
            "GRANT UPDATE (tastytrade_oauth_token, tastytrade_oauth_expires_at) ON users TO \(role)"
        )
        #expect(try #require(await complaint()).contains("GRANT UPDATE (\"tastytrade_oauth_refresh_token\")"))
        try await database.execute("GRANT UPDATE (tastytrade_oauth_refresh_token) ON users TO \(role)")
        #expect(await complaint() == nil)
    }

    @Test func aSchemaThatMayNotBeUsedIsMisconfigured() async throws {
        let database = try await TestDatabase()
        let role = "outsider_\(database.name)"
        try await database.execute(
            """
            CREATE ROLE \(role) LOGIN; CREATE SCHEMA app; ALTER TABLE users SET SCHEMA app;
            GRANT ALL ON app.users TO \(role);
            """
        )
        let store = database.store(user: role) { $0.table.table = "app.users" }
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.text.contains("schema app") == true)
    }

    @Test func aLimitedRoleHasAllTheRightsThatAreNeeded() async throws {
        let database = try await TestDatabase()
        let role = "daemon_\(database.name)"
        try await database.execute(
            """
            CREATE ROLE \(role) LOGIN;
            GRANT SELECT (id, tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at),
                UPDATE (tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at)
                ON users TO \(role);
            GRANT CREATE ON DATABASE \(database.name) TO \(role);
            """
        )
        let store = database.store(user: role)
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        let grant = try #require(try await store.grants(of: [UserID("1")]).first)
        let outcomes = try await store.write([.sample(grant.user, token: "a", used: grant.version, rotated: "r")])
        guard case .stored = outcomes[grant.user] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(try await store.loaded().count == 2)
    }

    @Test func whatIsOddButWorksIsNoticed() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            ALTER TABLE users DROP CONSTRAINT users_pkey, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY everybody ON users USING (true);
            CREATE ROLE ruled_\(database.name) LOGIN; GRANT ALL ON users TO ruled_\(database.name);
            """
        )
        let notices = try await database.store(user: "ruled_\(database.name)").open().notices
        #expect(notices.count == 2)
        #expect(notices.contains { $0.contains("unique") })
        #expect(notices.contains { $0.contains("Row security") })
        #expect(try await TestDatabase().store().open().notices == [])
    }

    @Test func aViewAndAPartitionedTableWillDo() async throws {
        let database = try await TestDatabase(
            setUp: """
                CREATE TABLE people (id bigint PRIMARY KEY, tastytrade_oauth_token text,
                    tastytrade_oauth_refresh_token text, tastytrade_oauth_expires_at timestamp) PARTITION BY HASH (id);
                CREATE TABLE people_0 PARTITION OF people FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE people_1 PARTITION OF people FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                CREATE VIEW users AS SELECT * FROM people;
                INSERT INTO people SELECT n, 'a', 'r', now() FROM generate_series(1, 9) n;
                """
        )
        for name in ["people", "users"] {
            let store = database.store { $0.table.table = name }
            let grants = try await store.grants(of: (1...9).map { UserID(String($0)) })
            let outcomes = try await store.write(grants.map { .sample($0.user, token: name, used: $0.version) })
            #expect(outcomes.count == 9)
            #expect(outcomes.values.allSatisfy { if case .stored = $0 { true } else { false } }, "\(outcomes)")
        }
    }

    @Test func aColumnThatGoesAwayLaterIsMisconfiguredThen() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        try await store.open()
        try await database.execute("ALTER TABLE users RENAME tastytrade_oauth_token TO elsewhere")
        let failure = await store.failure { store async throws(StoreFailure) in try await store.rows(of: [UserID("1")])
        }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.text.contains("database.columns.accessToken") == true)
        try await database.execute("ALTER TABLE users RENAME elsewhere TO tastytrade_oauth_token")
        #expect(try await store.rows(of: [UserID("1")]).count == 1)
    }
}
