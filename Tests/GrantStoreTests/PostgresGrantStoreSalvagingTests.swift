// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// H9: a refresh token is written alone, where the row still holds the one that was used.
@Suite struct PostgresGrantStoreSalvagingTests {
    private let first = UserID("1")
    private let columns = "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = 1"

    private func version(_ store: PostgresGrantStore) async throws -> Int64 {
        try #require(try await store.grants(of: [first]).first).version
    }

    private func salvage(_ token: String, used: Int64, of user: String = "1") -> GrantSalvage {
        GrantSalvage(user: UserID(user), newRefreshToken: Secret(token), usedVersion: used)
    }

    @Test func h9TheRefreshTokenAloneIsWritten() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store)
        let outcomes = try await store.salvage([salvage("refresh-1b", used: used)])
        let now = try await version(store)
        #expect(outcomes == [first: .stored(grantVersion: now)])
        #expect(now != used)
        #expect(try await database.query(columns) == "access-1|refresh-1b")
        #expect(try await store.salvage([salvage("refresh-1b", used: used)]) == outcomes, "again after a lost answer")
    }

    @Test func h9ARowThatHoldsAnotherGrantIsLeftAlone() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store)
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'by hand' WHERE id = 1")
        let outcomes = try await store.salvage([
            salvage("new", used: used), salvage("new", used: used, of: "77"), salvage("new", used: used, of: "none"),
        ])
        #expect(outcomes == [first: .superseded, UserID("77"): .superseded, UserID("none"): .superseded])
        #expect(try await database.query(columns) == "access-1|by hand")
    }

    @Test func h9AFaultIsTheRowsOwnAndShowsNoToken() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "ALTER TABLE users ADD CHECK (id > 1 OR tastytrade_oauth_refresh_token NOT LIKE 'planted%')"
        )
        let store = database.store()
        let used = try await version(store)
        let other = try #require(try await store.grants(of: [UserID("2")]).first).version
        let outcomes = try await store.salvage([
            salvage("planted-secret", used: used), salvage("good", used: other, of: "2"),
        ])
        guard case .rejected(let reason) = outcomes[first] else {
            Issue.record("\(String(describing: outcomes[first]))")
            return
        }
        #expect(!reason.contains("planted-secret"))
        #expect(outcomes[UserID("2")].map { if case .stored = $0 { true } else { false } } == true)
    }

    @Test func h9ALockedRowIsNotWaitedForLong() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store)
        let session = database.session()
        try await session.run(within: .seconds(30)) { connection, deadline throws(StoreError) in
            try connection.begin(until: deadline)
            try connection.run(Statement("lock", "SELECT 1 FROM users WHERE id = 1 FOR UPDATE"), until: deadline)
        }
        #expect(try await store.salvage([salvage("new", used: used)]) == [first: .locked])
        try await session.run(within: .seconds(30)) { connection, deadline throws(StoreError) in
            try connection.commit(until: deadline)
        }
        let version = try await store.salvage([salvage("new", used: used)])
        #expect(version == [first: .stored(grantVersion: try await self.version(store))])
    }
}
