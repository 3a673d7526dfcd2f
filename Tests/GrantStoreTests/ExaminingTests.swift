// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// What `tastytokend check` asks of the database.
@Suite struct ExaminingTests {
    private func store(_ database: TestDatabase) -> PostgresGrantStore {
        database.store { $0.migratesAtStart = false }
    }

    @Test func lookingTellsWhereOneIsAndChangesNothing() async throws {
        let database = try await TestDatabase()
        let store = store(database)
        let place = try await store.whereConnected()
        #expect(
            place.database == database.name && place.role == "postgres" && place.serverVersion.first?.isNumber == true
        )
        let report = try await store.open()
        guard case .absent(let reason) = report.ownSchema else {
            Issue.record("there is no schema yet")
            return
        }
        #expect(reason.contains("run tastytokend migrate"))
        #expect(report.trigger == .absent)
        #expect(try await store.countGrants() == 2)
        #expect(await store.reasonNotificationsFail() == nil)
        #expect(try await database.query("SELECT count(*) FROM pg_namespace WHERE nspname = 'tastytokend'") == "0")
    }

    @Test func onlyRowsWithARefreshTokenAreCounted() async throws {
        let database = try await TestDatabase()
        try await database.execute("INSERT INTO users (tastytrade_oauth_refresh_token) VALUES (NULL), (''), ('  ')")
        #expect(try await store(database).countGrants() == 2)
    }
}
