// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite struct MigratorTests {
    @Test func migratingTwiceChangesNothingMore() async throws {
        let database = try await TestDatabase()
        let versions = "SELECT version, title, applied_at FROM tastytokend.schema_versions"
        #expect(try await database.store().open().ownSchema == .present(version: Migration.newest))
        let first = try await database.query(versions)
        let store = database.store()
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        #expect(try await database.query(versions) == first)
        #expect(first.hasPrefix("1|grant state|"))
    }

    @Test func daemonsThatStartTogetherDoItOnce() async throws {
        let database = try await TestDatabase()
        try await withThrowingTaskGroup(of: OwnSchema.self) { group in
            for _ in 0..<8 {
                group.addTask { try await database.store().open().ownSchema }
            }
            for try await schema in group { #expect(schema == .present(version: Migration.newest)) }
        }
        #expect(try await database.query("SELECT count(*) FROM tastytokend.schema_versions") == "\(Migration.newest)")
    }

    @Test func aMigrationThatDoesNotEndIsToldApartFromAHeldTable() async throws {
        let database = try await TestDatabase()
        let other = database.session()
        try await other.query("BEGIN")
        try await other.query("SELECT pg_advisory_xact_lock(8386110925231648619)")
        let failure = await #expect(throws: StoreFailure.self) {
            try await database.session().run(within: .seconds(60)) { connection, deadline throws(StoreError) in
                try Migrator(on: connection, until: deadline, patience: .milliseconds(50)).apply()
            }
        }
        #expect(failure?.kind == .timeout)
        #expect(failure?.text.contains("another migration did not end within 0.05 seconds") == true)
        #expect(try await database.query("SELECT to_regnamespace('tastytokend') IS NULL") == "t")
    }

    @Test func aRoleThatMayNotCreateWorksWithoutMemory() async throws {
        let database = try await TestDatabase()
        let role = "modest_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role)")
        let store = database.store(user: role)
        guard case .absent(let reason) = try await store.open().ownSchema else {
            Issue.record("The role made a schema.")
            return
        }
        #expect(reason.contains("GRANT CREATE ON DATABASE \"\(database.name)\" TO \"\(role)\""))
        try await useEverything(store)
        #expect(try await store.loaded()[UserID("1")]?.memory == nil)
    }

    /// Other daemons may be at work with it: one that did without would claim nothing, and refresh what they refresh.
    @Test(arguments: ["nothing", "USAGE", "all but claims", "all but providers"])
    func h2ASchemaThatTheRoleMayNotUseIsNoReasonToDoWithout(rights: String) async throws {
        let database = try await TestDatabase()
        let role = "stranger_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role)")
        try await database.store().open()
        let all = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO \(role)"
        switch rights {
        case "nothing": break
        case "USAGE": try await database.execute("GRANT USAGE ON SCHEMA tastytokend TO \(role)")
        default:
            let table = rights == "all but claims" ? "claims" : "providers"
            try await database.execute("GRANT USAGE ON SCHEMA tastytokend TO \(role); \(all)")
            try await database.execute("REVOKE UPDATE ON tastytokend.\(table) FROM \(role)")
        }
        let store = database.store(user: role)
        let failure = await #expect(throws: StoreFailure.self) { try await store.open() }
        #expect(failure?.kind == .misconfigured)
        #expect(
            failure?.text.contains("INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO") == true,
            "\(String(describing: failure))"
        )
        try await database.execute("GRANT USAGE ON SCHEMA tastytokend TO \(role); \(all)")
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        try await useEverything(store)
        #expect(try await store.loaded()[UserID("1")]?.memory?.status == .degraded)
    }

    /// What was claimed before must not be refreshed unclaimed from one moment to the next; but answers get into their rows.
    @Test(arguments: ["DROP SCHEMA tastytokend CASCADE", "ALTER SCHEMA tastytokend RENAME TO away", "REVOKE"])
    func h2WhereTheSchemaGoesNothingIsClaimedAndAnswersAreStored(way: String) async throws {
        let database = try await TestDatabase()
        let role = "daemon_\(database.name)"
        try await database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role)")
        try await database.store().open()
        let rights = "ON ALL TABLES IN SCHEMA tastytokend"
        try await database.execute(
            "GRANT USAGE ON SCHEMA tastytokend TO \(role); GRANT SELECT, INSERT, UPDATE \(rights) TO \(role)"
        )
        let store = database.store(user: role)
        #expect(try await store.open().ownSchema.isPresent)
        let user = UserID("1")
        let claimed = try #require(try await store.claim([user], sends: true).first)
        try await database.execute(way == "REVOKE" ? "REVOKE ALL \(rights) FROM \(role)" : way)
        for _ in 0..<2 {
            let failure = await #expect(throws: StoreFailure.self) { try await store.claim([user], sends: true) }
            #expect(failure?.kind == .misconfigured && store.health.lastFailure != nil)
        }
        let write = GrantWrite.sample(user, token: "a", used: claimed.row.grant.version)
        #expect(try await store.write([write]) == [user: .stored(grantVersion: claimed.row.grant.version)])
    }

    @Test func aSchemaThatIsRemovedUnderUsDoesNotKeepTokensFromBeingStored() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        try await database.execute("DROP SCHEMA tastytokend CASCADE")
        try await useEverything(store)
        #expect(store.report?.ownSchema.isPresent == false)
        _ = try await store.trigger()
        #expect(try await database.query("SELECT to_regnamespace('tastytokend') IS NULL") == "t", "and stays away")
    }

    @Test func aSchemaNewerThanTheDaemonIsMisconfigured() async throws {
        let database = try await TestDatabase()
        try await database.store().open()
        try await database.execute("INSERT INTO tastytokend.schema_versions VALUES (99, 'from the future')")
        let failure = await database.store().failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.text.contains("99") == true)
    }

    /// H19: what an older daemon left is brought up to date, and keeps what it remembers.
    @Test(arguments: 1..<Migration.newest) func h19ASchemaOlderThanTheDaemonIsBroughtUpToDate(
        _ version: Int
    ) async throws {
        let database = try await TestDatabase()
        try await leave(database, at: version)
        let store = database.store()
        #expect(try await store.open().ownSchema == .present(version: Migration.newest))
        #expect(try await store.loaded()[UserID("2")]?.memory?.status == .reauthorizationRequired)
        let fresh = try await TestDatabase()
        try await fresh.store().open()
        let tables = """
            SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
            WHERE table_schema = 'tastytokend' ORDER BY 1, 2
            """
        #expect(try await database.query(tables) == fresh.query(tables), "it is what a first start makes")
        try await useEverything(store)
    }

    @Test(arguments: 1..<Migration.newest) func h19AnOlderSchemaThatTheRoleMayNotUpdateIsNotDoneWithout(
        _ version: Int
    ) async throws {
        let database = try await TestDatabase()
        try await leave(database, at: version)
        let role = "behind_\(database.name)"
        try await database.execute(
            """
            CREATE ROLE \(role) LOGIN; GRANT SELECT, UPDATE ON users TO \(role);
            GRANT USAGE ON SCHEMA tastytokend TO \(role);
            GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO \(role)
            """
        )
        let store = database.store(user: role)
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .misconfigured, "others may claim by it")
        #expect(failure?.text.contains("run tastytokend migrate") == true)
        #expect(
            try await database.query("SELECT max(version) FROM tastytokend.schema_versions") == "\(version)",
            "and is left as it is"
        )
    }

    /// Makes the schema as a daemon of that version left it, with a refused grant in it.
    private func leave(_ database: TestDatabase, at version: Int) async throws {
        let first = [SchemaQueries.createSchema, SchemaQueries.createVersions].map(\.text)
        let steps = Migration.all.prefix(version).flatMap { [$0.sql, SchemaQueries.noteVersion($0).text] }
        try await database.execute((first + steps).joined(separator: ";\n"))
        let refresh = try await database.store { $0.migratesAtStart = false }.grants(of: [UserID("2")])
        let grantVersion = try #require(refresh.first?.version)
        try await database.execute(
            """
            INSERT INTO tastytokend.grants (user_id, status, grant_version, generation, consecutive_failures, last_error,
                changed_at)
            VALUES ('2', 'reauthorization_required', \(grantVersion), 7, 2, 'refused', now())
            """
        )
    }

    @Test func nothingIsChangedWhereThatIsNotWanted() async throws {
        let database = try await TestDatabase()
        let report = try await database.store { $0.migratesAtStart = false }.open()
        #expect(!report.ownSchema.isPresent)
        #expect(try await database.query("SELECT to_regnamespace('tastytokend') IS NULL") == "t")
    }

    @Test func aFailedMigrationLeavesNothingBehind() async throws {
        let database = try await TestDatabase()
        // A stranger's table stands where ours should come to be.
        try await database.execute("CREATE SCHEMA tastytokend; CREATE TABLE tastytokend.grants (x int)")
        guard case .absent(let reason) = try await database.store().open().ownSchema else {
            Issue.record("The stranger's table was taken for ours.")
            return
        }
        #expect(reason.contains("grants"))
        #expect(try await database.query("SELECT to_regclass('tastytokend.schema_versions') IS NULL") == "t")
    }

    /// Every call of the port once.
    private func useEverything(_ store: PostgresGrantStore) async throws {
        let user = UserID("1")
        let grant = try #require(try await store.grants(of: [user]).first)
        let outcomes = try await store.write([.sample(user, token: "a", used: grant.version)])
        #expect(outcomes == [user: .stored(grantVersion: grant.version)])
        try await store.remember([
            GrantNote(user: user, status: .degraded, grantVersion: nil, consecutiveFailures: 1, lastError: "x")
        ])
        #expect(try await store.rows(of: [user]).count == 1)
        #expect(try await store.loaded().count == 2)
        #expect(try await store.digested().count == 2)
    }
}
