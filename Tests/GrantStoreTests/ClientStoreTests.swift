// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

@testable import GrantStore

/// OAuth clients in the daemon's own schema.
@Suite struct ClientStoreTests {
    private func keys(_ letter: String = "A") throws -> TokenColumns {
        let key = String(repeating: letter, count: 42) + "A"
        let set = Array(#"{"keys":[{"kty":"oct","kid":"\#(letter)","k":"\#(key)"}]}"#.utf8)
        return TokenColumns(JWEColumns(try JWEKeySet(set)), in: .sandbox)
    }

    private func store(_ database: TestDatabase, _ columns: TokenColumns) -> PostgresGrantStore {
        database.store { $0.tokens = columns }
    }

    private func client(
        _ secret: String = "s3cret",
        _ environment: TradeEnvironment = .sandbox,
        name: String = "second"
    ) -> StoredClient {
        StoredClient(
            name: name,
            environment: environment,
            clientID: "0b6e1d6c-3f6d-4d6e-9a57-0d1c7c0f5a11",
            clientSecret: .success(Secret(secret)),
            redirectURI: "https://app.example/tastytrade/oauth/callback",
            scopes: ["read", "openid"]
        )
    }

    /// A store with a client whose grant user 1 has.
    private func storeWithGrant(in database: TestDatabase) async throws -> PostgresGrantStore {
        let store = store(database, try keys())
        try await store.put(client()).get()
        try await database.execute(
            """
            INSERT INTO tastytokend.grants (user_id, status, generation, consecutive_failures, changed_at, client)
            VALUES ('1', 'active', 1, 0, now(), 'second')
            """
        )
        return store
    }

    @Test func whatIsPutInIsFoundByEveryDaemonAndItsSecretIsSealed() async throws {
        let database = try await TestDatabase()
        let first = store(database, try keys())
        #expect(try await first.clients().isEmpty)
        try await first.put(client()).get()
        try await first.put(client("other", .production, name: "a")).get()
        let found = try await store(database, try keys()).clients()
        #expect(found.map(\.name) == ["a", "second"])
        #expect(try found.map { try $0.clientSecret.get() } == [Secret("other"), Secret("s3cret")])
        #expect(found.map(\.environment) == [.production, .sandbox] && found[1].scopes == ["read", "openid"])
        #expect(found[1].clientID == client().clientID && found[1].redirectURI == client().redirectURI)
        #expect(try await !database.dump().contains("s3cret"))
    }

    @Test func anotherKeysSecretDoesNotOpenAndNoKeyStoresNone() async throws {
        let database = try await TestDatabase()
        try await store(database, try keys()).put(client()).get()
        let closed = try await store(database, try keys("B")).clients()
        guard case .failure(.unreadable)? = closed.first?.clientSecret else {
            Issue.record("\(closed.map(\.name)) should not open")
            return
        }
        let refused = try await database.store().put(client())
        guard case .failure(.secret(.noSealingKey)) = refused else {
            Issue.record("a secret was stored in clear")
            return
        }
    }

    @Test func itKeepsItsEnvironmentWhileSomebodyIsAtTastyTradeForIt() async throws {
        let database = try await TestDatabase()
        let store = store(database, try keys())
        try await store.put(client()).get()
        let state = try #require(SecretHash(hex: String(repeating: "a", count: 64)))
        try await store.begin(
            PendingAuthorization(
                stateHash: state,
                user: UserID("1"),
                client: "second",
                origin: .socket,
                redirectURI: "u"
            )
        ).get()
        guard case .failure(.otherEnvironment(.sandbox)) = try await store.put(client("s3cret", .production)) else {
            Issue.record("a code of the sandbox's would be exchanged in production")
            return
        }
        try await database.execute("UPDATE tastytokend.authorizations SET expires_at = now()")
        try await store.put(client("s3cret", .production)).get()
    }

    private func twoKeys() throws -> TokenColumns {
        let keys = ["B", "A"].map { #"{"kty":"oct","kid":"\#($0)","k":"\#(String(repeating: $0, count: 42))A"}"# }
        return TokenColumns(
            JWEColumns(try JWEKeySet(Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))),
            in: .sandbox
        )
    }

    @Test func anOlderKeysSecretsAreSealedByTheNewOneAndStayTheSame() async throws {
        let database = try await TestDatabase()
        let old = store(database, try keys())
        for name in ["a", "b", "moved"] { try await old.put(client(name: name)).get() }
        try await database.execute(
            """
            UPDATE tastytokend.clients SET client_secret = (SELECT client_secret FROM tastytokend.clients WHERE name = 'a')
            WHERE name = 'moved'
            """
        )
        let changedAt = try await old.clients()[0].secretChangedAt
        let both = store(database, try twoKeys())
        let before = try await both.clientSeals()
        #expect(before.wanting == 2 && before.census.rows == 3 && before.census.closed == 1)
        #expect(before.census.reason?.hasPrefix("The secret of client moved: what is stored ") == true)
        #expect(try await both.resealClients() == 2)
        #expect(try await both.resealClients() == 0, "it is done")
        let after = try await both.clientSeals()
        #expect(after.wanting == 0 && after.census.closed == 1 && after.census.sealed.map(\.key.id) == ["B"])
        let found = try await store(database, try keys("B")).clients()
        #expect(try found.prefix(2).map { try $0.clientSecret.get() } == [Secret("s3cret"), Secret("s3cret")])
        #expect(found[0].secretChangedAt == changedAt, "for daemons it is the same secret")
    }

    @Test func itIsToldWhenASecretWasReplacedAndNotWhenOnlyTheRestWas() async throws {
        let database = try await TestDatabase()
        let store = store(database, try keys())
        func changed() async throws -> WallTime? { try await store.clients().first?.secretChangedAt }
        try await store.put(client()).get()
        #expect(try await changed() == nil, "the first one has replaced none")
        try await database.execute("UPDATE tastytokend.clients SET secret_changed_at = '2026-01-01'")
        let before = try await changed()
        try await store.put(client()).get()
        #expect(try await changed() == before)
        try await store.put(client("another")).get()
        #expect(try await changed() != before)
    }

    @Test func aClientThatHasGrantsStaysInItsEnvironmentAndIsNotRemoved() async throws {
        let database = try await TestDatabase()
        let store = try await storeWithGrant(in: database)
        #expect(
            try await store.rows(of: [UserID("1"), UserID("2")]).map(\.client).sorted { ($0 ?? "") < ($1 ?? "") } == [
                nil, "second",
            ]
        )
        guard case .failure(.otherEnvironment(.sandbox)) = try await store.put(client("s3cret", .production)) else {
            Issue.record("a sandbox grant would go to production")
            return
        }
        try await store.put(client("replaced")).get()
        #expect(try await store.removeClient("second") == .inUse(accounts: 1))
        try await database.execute("UPDATE tastytokend.grants SET client = NULL")
        try await store.put(client("replaced", .production)).get()
        #expect(try await store.removeClient("second") == .removed)
        #expect(try await store.removeClient("second") == .unknown)
        #expect(try await store.clients().isEmpty)
    }

    /// The client is in every form in which rows are read.
    @Test func rowsTellTheirClientWhenTheyAreLoadedReadAndClaimed() async throws {
        let database = try await TestDatabase()
        let store = try await storeWithGrant(in: database)
        let user = UserID("1")
        let loaded = try await store.loaded()
        #expect(loaded[user]?.client == "second" && loaded.count == 2)
        #expect(loaded.values.map(\.client).contains(nil))
        let claimed = try await store.claim([user], sends: true)
        #expect(claimed.first?.row.client == "second")
        #expect(try claimed.first?.refreshToken?.get() == Secret("refresh-1"))
        #expect(claimed.first?.hold.claim != nil)
    }
}
