// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCipher
import TokenCore

@testable import GrantStore

/// Grants that a person put in or took out.
@Suite struct ConnectStoreTests {
    private let first = UserID("1")
    private let second = UserID("2")
    private static let key = #"{"keys":[{"kty":"oct","kid":"A","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#
    private static let client = StoredClient(
        name: "second",
        environment: .sandbox,
        clientID: "0b6e1d6c-3f6d-4d6e-9a57-0d1c7c0f5a11",
        clientSecret: .success(Secret("s3cret")),
        redirectURI: "https://app.example/tastytrade/oauth/callback",
        scopes: ["read"]
    )

    private let row = """
        SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at, updated_at IS NULL, email
        FROM users WHERE id =
        """

    private func sealing(_ database: TestDatabase) throws -> PostgresGrantStore {
        let keys = try JWEKeySet(Array(Self.key.utf8))
        return database.store { $0.tokens = TokenColumns(JWEColumns(keys), in: .sandbox) }
    }

    private func proven(
        _ user: UserID,
        rotated: String? = nil,
        client: String? = nil,
        _ environment: TradeEnvironment = .sandbox
    ) -> ProvenGrant {
        let write = GrantWrite.sample(user, token: "new-access", used: 0, rotated: rotated)
        return ProvenGrant(
            user: user,
            used: Secret("new-refresh"),
            answer: write.answer,
            client: client,
            environment: environment
        )
    }

    @Test func aGrantTakesThePlaceOfAnyOtherWithItsTokenAndNothingElseIsTouched() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.connect(proven(first)) == .done)
        #expect(try await store.connect(proven(second, rotated: "newer")) == .done)
        #expect(try await database.query(row + " 1") == "new-access|new-refresh|2026-01-01 00:31:40|t|a")
        #expect(try await database.query(row + " 2") == "new-access|newer|2026-01-01 00:31:40|t|b")
    }

    @Test func h32WhatWasAskedForWithTheOldGrantTakesNoEffectAnyMore() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try #require(try await store.grants(of: [first]).first).version
        #expect(try await store.connect(proven(first)) == .done)
        let outcomes = try await store.write([.sample(first, token: "late", used: used, rotated: "late-refresh")])
        #expect(outcomes[first] == .superseded)
        #expect(try await database.query(row + " 1") == "new-access|new-refresh|2026-01-01 00:31:40|t|a")
    }

    @Test func whatIsRememberedIsOfTheNewGrant() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let note = GrantNote(
            user: first,
            status: .reauthorizationRequired,
            grantVersion: try await store.grants(of: [first]).first?.version,
            consecutiveFailures: 3,
            lastError: "revoked"
        )
        try await store.remember([note])
        #expect(try await store.connect(proven(first)) == .done)
        let memory = try #require(try await store.rows(of: [first]).first?.memory)
        #expect(memory.status == .active && memory.consecutiveFailures == 0 && memory.lastError == nil)
        #expect(memory.grantVersion == (try await store.grants(of: [first]).first?.version))
        #expect(memory.lifetime == .seconds(900) && memory.lastRefreshedAt != nil)
    }

    /// Else a grant that its provider gave back to life would never be sent.
    @Test func aRefreshTokenThatProvedItselfIsNoLongerAmongThoseThatWereReplaced() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.connect(proven(first)) == .done)
        let version = try #require(try await store.grants(of: [first]).first).version
        let outcomes = try await store.write([.sample(first, token: "a2", used: version, rotated: "r2")])
        #expect(outcomes[first] != .superseded)
        #expect(try await store.rows(of: [first]).first?.memory?.spent == [version])
        #expect(try await store.connect(proven(first)) == .done)
        #expect(try await store.rows(of: [first]).first?.memory?.spent == [])
    }

    @Test func itsClientIsNotedAndMustBeThere() async throws {
        let database = try await TestDatabase()
        let store = try sealing(database)
        #expect(try await store.connect(proven(first, client: "second")) == .unknownClient)
        #expect(try await store.rows(of: [first]).first?.client == nil)
        try await store.put(Self.client).get()
        #expect(
            try await store.connect(proven(first, client: "second", .production)) == .unknownClient,
            "it is the sandbox's"
        )
        #expect(try await store.connect(proven(first, client: "second")) == .done)
        #expect(try await store.rows(of: [first]).first?.client == "second")
        #expect(try await store.accountsByClient() == ["second": 1])
        #expect(try await store.removeClient("second") == .inUse(accounts: 1))
        #expect(try await store.connect(proven(first)) == .done)
        #expect(try await store.rows(of: [first]).first?.client == nil)
        #expect(try await store.removeClient("second") == .removed)
    }

    @Test func whatIsStoredIsSealedWhereColumnsAre() async throws {
        let database = try await TestDatabase()
        let store = try sealing(database)
        #expect(try await store.connect(proven(first)) == .done)
        #expect(try await !database.query(row + " 1").contains("new-"))
        #expect(try await store.grants(of: [first]).first?.refreshToken == .success(Secret("new-refresh")))
        #expect(try await store.rows(of: [first]).first?.accessToken == Secret("new-access"))
    }

    @Test func disconnectingEmptiesTheThreeColumnsAndWhatIsRemembered() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.connect(proven(first)) == .done)
        #expect(try await store.disconnect(first) == .done)
        #expect(try await store.disconnect(first) == .done)
        #expect(try await database.query(row + " 1") == "|||t|a")
        #expect(try await store.rows(of: [first]).first?.memory?.status == .noGrant)
    }

    @Test(arguments: ["99", "x", "1 OR 1=1", "\u{0}"])
    func aUserWithoutARowIsUnknown(_ user: String) async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.connect(proven(UserID(user))) == .unknownUser)
        #expect(try await store.disconnect(UserID(user)) == .unknownUser)
    }

    @Test func aRowThatSomebodyHoldsIsNotWaitedForLong() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        #expect(try await store.connect(proven(second)) == .done)
        let stuck = database.session()
        defer { stuck.close() }
        try await stuck.query("BEGIN")
        try await stuck.query("SELECT FROM users WHERE id = 1 FOR UPDATE")
        #expect(try await store.connect(proven(first)) == .locked)
        #expect(try await store.disconnect(first) == .locked)
        try await stuck.query("ROLLBACK")
        #expect(try await database.query(row + " 1") == "access-1|refresh-1|2026-01-01 00:15:00|t|a")
    }

    @Test func aRowThatTakesNoWriteSaysWhyAndNothingOfTheGrant() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'not this: %', NEW.tastytrade_oauth_refresh_token; END $$;
            CREATE TRIGGER watch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse();
            """
        )
        let store = database.store()
        guard case .rejected(let reason) = try await store.connect(proven(first)) else {
            Issue.record("it was not rejected")
            return
        }
        #expect(reason.contains("not this") && !reason.contains("new-refresh"))
    }
}
