// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// What the daemon's own schema remembers.
@Suite struct GrantMemoryTests {
    private let user = UserID("1")

    private func written(_ store: PostgresGrantStore) async throws -> Int64 {
        let version = try #require(try await store.grants(of: [user]).first).version
        _ = try await store.write([.sample(user, token: "a2", used: version)])
        return version
    }

    @Test func aWriteIsRememberedWithTheTokensLife() async throws {
        let store = try await TestDatabase().store()
        let version = try await written(store)
        let memory = try #require(try await store.loaded()[user]?.memory)
        let expected = GrantMemory(
            status: .active,
            grantVersion: version,
            generation: 1,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: .newYear(plus: .seconds(1000)),
            lifetime: .seconds(900),
            tokenEndsAt: memory.tokenEndsAt
        )
        #expect(memory == expected && memory.tokenEndsAt != nil)
        _ = try await written(store)
        #expect(try await store.rows(of: [user]).first?.memory?.generation == 2)
    }

    @Test func aLifetimeSpeaksOnlyOfTheTokenThatItCameWith() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        _ = try await written(store)
        try await database.execute("UPDATE users SET tastytrade_oauth_expires_at = '2026-01-01 05:00:00' WHERE id = 1")
        let memory = try #require(try await store.loaded()[user]?.memory)
        #expect(memory.lifetime == nil)
        #expect(memory.lastRefreshedAt == .newYear(plus: .seconds(1000)))
    }

    @Test func notesAreRememberedAndAWriteEndsThem() async throws {
        let store = try await TestDatabase().store()
        let version = try await written(store)
        let note = GrantNote(
            user: user,
            status: .reauthorizationRequired,
            grantVersion: version,
            consecutiveFailures: 3,
            lastError: "invalid_grant \"quoted\""
        )
        try await store.remember([note])
        let memory = try #require(try await store.loaded()[user]?.memory)
        #expect(memory.status == .reauthorizationRequired)
        #expect(memory.grantVersion == version)
        #expect(memory.generation == 2)
        #expect(memory.consecutiveFailures == 3)
        #expect(memory.lastError == "invalid_grant \"quoted\"")
        #expect(memory.lifetime == .seconds(900))
        _ = try await written(store)
        let after = try #require(try await store.loaded()[user]?.memory)
        #expect(after.status == .active)
        #expect(after.generation == 3)
        #expect(after.consecutiveFailures == 0)
        #expect(after.lastError == nil)
    }

    @Test(arguments: GrantStatus.allCases) func everyStatusCanBeRemembered(_ status: GrantStatus) async throws {
        let store = try await TestDatabase().store()
        let note = GrantNote(user: user, status: status, grantVersion: nil, consecutiveFailures: -1, lastError: nil)
        try await store.remember([note])
        // What is under way does not outlive the process.
        let expected = status == .refreshing ? .active : status
        #expect(try await store.loaded()[user]?.memory?.status == expected)
    }

    @Test func theLastNoteOfAUserWins() async throws {
        let store = try await TestDatabase().store()
        let notes = (1...3).map {
            GrantNote(user: user, status: .degraded, grantVersion: 1, consecutiveFailures: $0, lastError: "n\($0)")
        }
        try await store.remember(notes)
        try await store.remember([])
        #expect(try await store.loaded()[user]?.memory?.lastError == "n3")
    }

    @Test func theStateIsNotWrittenForARowThatWasNot() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        _ = try await store.write([.sample(user, token: "a", used: 12345)])
        #expect(try await database.query("SELECT count(*) FROM tastytokend.grants") == "0")
    }
}
