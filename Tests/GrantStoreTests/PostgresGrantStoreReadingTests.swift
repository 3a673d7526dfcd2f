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
        try await store.load { rows.append($0) }
        try await store.digests { digests.append($0) }
        #expect(Set(rows.all.map(\.user)) == Set((1...10_000).map { UserID(String($0)) }))
        #expect(Set(digests.all.map(\.user)).count == 10_000)
        #expect(rows.sizes.allSatisfy { $0 <= 1000 })
    }
}
