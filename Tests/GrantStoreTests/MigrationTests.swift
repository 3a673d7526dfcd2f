// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// `migrate`, its script, and its undoing.
@Suite(.serialized) struct MigrationTests {
    private let triggers =
        "SELECT string_agg(tgrelid::regclass || ' ' || tgname, ',' ORDER BY 1) FROM pg_trigger WHERE NOT tgisinternal"

    @Test func migratingTwiceChangesNothingMore() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.migrate().statements.isEmpty == false)
        let first = try await database.dump()
        #expect(try await store.migrate().statements == [])
        #expect(try await store.migrationPlan().statements == [])
        #expect(try await database.dump() == first)
        #expect(try await store.open().trigger == .present)
    }

    @Test func theDaemonsStartDoesNotTouchTheApplicationsTable() async throws {
        let database = try await TestDatabase()
        #expect(try await database.store().open().trigger == .absent)
        #expect(try await database.query(triggers) == "")
    }

    @Test(arguments: [TestDatabase.railsTable, TestDatabase.partitionedTable])
    func removingLeavesEverythingAsItWas(_ table: String) async throws {
        let database = try await TestDatabase(setUp: table)
        let before = try await database.dump()
        let store = database.store { $0.migratesAtStart = false }
        _ = try await store.migrate()
        #expect(try await database.dump() != before)
        #expect(try await store.removeMigration().statements.isEmpty == false)
        #expect(try await database.dump() == before)
        #expect(try await store.removeMigration().statements == [])
        let grant = try #require(try await store.grants(of: [UserID("1")]).first)
        let outcome = try await store.write([.sample(grant.user, token: "on", used: grant.version)])
        #expect(outcome[grant.user] == .stored(grantVersion: grant.version))
    }

    @Test func nothingOfAStrangersIsRemoved() async throws {
        let database = try await TestDatabase()
        _ = try await database.store().migrate()
        try await database.execute("CREATE TABLE tastytokend.strangers (id int)")
        let before = try await database.dump()
        let failure = await database.store().failure { store async throws(StoreFailure) in
            try await store.removeMigration()
        }
        #expect(failure?.text.contains("schema's removal") == true)
        #expect(try await database.dump() == before)
    }

    @Test(arguments: ["apply", "remove"])
    func behindAnOpenTransactionItGivesUpAndHasChangedNothing(_ way: String) async throws {
        let database = try await TestDatabase()
        let store = database.store()
        if way == "remove" { _ = try await store.migrate() }
        let before = try await database.dump()
        let application = database.session()
        try await application.query("BEGIN")
        try await application.query("UPDATE users SET email = 'x' RETURNING 1")
        let failure = await store.failure { store async throws(StoreFailure) in
            way == "apply" ? try await store.migrate() : try await store.removeMigration()
        }
        #expect(failure?.kind == .timeout)
        #expect(failure?.sqlState == "55P03")
        #expect(failure?.text.contains("Nothing was changed") == true)
        try await application.query("ROLLBACK")
        #expect(try await database.dump() == before)
        let outcome = way == "apply" ? try await store.migrate() : try await store.removeMigration()
        #expect(!outcome.statements.isEmpty)
    }

    @Test func theScriptDoesTheSameForARoleThatMayNot() async throws {
        let database = try await TestDatabase()
        let role = "modest_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role)")
        let store = database.store(user: role)
        let plan = try await store.migrationPlan()
        #expect(try await database.query("SELECT to_regnamespace('tastytokend') IS NULL") == "t")
        let refusal = await store.failure { store async throws(StoreFailure) in try await store.migrate() }
        #expect(refusal?.kind == .misconfigured)
        try await database.execute("BEGIN;" + plan.statements.joined(separator: ";\n") + "; COMMIT")
        let report = try await store.open()
        #expect(report.ownSchema == .present(version: Migration.newest))
        #expect(report.trigger == .present)
        #expect(try await store.migrationPlan().statements == [])
    }

    @Test func aRoleThatMayMakeTheSchemaButNoTriggerChangesNothing() async throws {
        let database = try await TestDatabase()
        let role = "halfway_\(database.name)"
        try await database.execute(
            "CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role);"
                + "GRANT CREATE ON DATABASE \(database.name) TO \(role)"
        )
        let failure = await database.store(user: role).failure { store async throws(StoreFailure) in
            try await store.migrate()
        }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.text.contains("permission denied") == true)
        #expect(try await database.query("SELECT to_regnamespace('tastytokend') IS NULL") == "t")
    }

    @Test(arguments: [
        "ALTER TABLE users DISABLE TRIGGER tastytokend_changes", "DROP TRIGGER tastytokend_truncate ON users",
        "ALTER TABLE users RENAME tastytrade_oauth_token TO another; ALTER TABLE users ADD tastytrade_oauth_token text",
        "CREATE OR REPLACE FUNCTION tastytokend.tell_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ]) func aTriggerThatIsNotWholeIsMadeAnew(_ sql: String) async throws {
        let database = try await TestDatabase()
        let store = database.store()
        _ = try await store.migrate()
        try await database.execute(sql)
        _ = try await store.migrate()
        #expect(try await store.open().trigger == .present)
        #expect(try await store.migrate().statements == [])
    }

    @Test func theTriggerGoesWithTheTablesName() async throws {
        let database = try await TestDatabase()
        _ = try await database.store().migrate()
        try await database.execute("CREATE SCHEMA app; CREATE TABLE app.\"My Users\" (LIKE users INCLUDING ALL)")
        let other = database.store { $0.table.table = "app.\"My Users\"" }
        #expect(try await other.open().trigger == .absent)
        _ = try await other.migrate()
        #expect(try await other.open().trigger == .present)
        let place = "app.\"My Users\""
        #expect(
            try await database.query(triggers) == "\(place) tastytokend_changes,\(place) tastytokend_truncate"
        )
    }

    @Test func aViewGetsTheSchemaAndAWordAboutIt() async throws {
        let database = try await TestDatabase()
        try await database.execute("CREATE VIEW connected AS SELECT * FROM users")
        let store = database.store { $0.table.table = "connected" }
        #expect(try await store.migrate().notices.contains { $0.contains("view") })
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        #expect(try await store.migrate().statements == [])
    }
}
