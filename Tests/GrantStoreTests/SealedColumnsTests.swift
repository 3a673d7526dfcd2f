// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCipher
import TokenCore

@testable import GrantStore

/// Tokens that are sealed where they stand (hard case H20), with the real ciphers.
@Suite struct SealedColumnsTests {
    /// The ways of sealing, each with keys of which the one that seals is not the only one.
    enum Way: CaseIterable {
        case jwe
        case rails

        func sealing(_ keys: ClosedRange<Int> = 1...2) throws -> any ColumnSealing {
            switch self {
            case .jwe:
                let members = keys.reversed().map {
                    #"{"kty":"oct","kid":"key-\#($0)","k":"\#(String(repeating: "\($0)", count: 42))A"}"#
                }
                return JWEColumns(try JWEKeySet(Array(#"{"keys":[\#(members.joined(separator: ","))]}"#.utf8)))
            case .rails:
                let settings = RailsSettings(
                    primaryKeys: keys.map { Secret("password \($0)") },
                    deterministicKey: Secret("deterministic"),
                    keyDerivationSalt: Secret("salt"),
                    storeKeyReferences: true
                )
                return RailsColumns(try RailsKeys(settings))
            }
        }
    }

    private let first = UserID("1")
    private let second = UserID("2")
    private let columns = "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = "

    private func store(_ database: TestDatabase, _ sealing: any ColumnSealing) -> PostgresGrantStore {
        database.store { $0.tokens = TokenColumns(sealing, in: .sandbox) }
    }

    private func put(
        _ token: String,
        _ column: ColumnPlace.Column,
        of user: UserID,
        _ sealing: any ColumnSealing,
        _ manner: SealManner = .random,
        in database: TestDatabase
    ) async throws {
        let sealed = try sealing.seal(Secret(token), at: ColumnPlace(column, of: user, in: .sandbox), manner)
        let name = column == .accessToken ? "tastytrade_oauth_token" : "tastytrade_oauth_refresh_token"
        try await database.execute("UPDATE users SET \(name) = '\(sealed)' WHERE id = \(user)")
    }

    private func version(_ store: PostgresGrantStore, _ user: UserID) async throws -> Int64 {
        try #require(try await store.grants(of: [user]).first).version
    }

    @Test(arguments: Way.allCases) func whatWasClearIsReadAndIsSealedWhenItIsWritten(way: Way) async throws {
        let database = try await TestDatabase()
        let store = store(database, try way.sealing())
        let before = try #require(try await store.loaded()[first])
        #expect(before.accessToken == Secret("access-1"))
        let used = try await version(store, first)
        let write = GrantWrite.sample(first, token: "planted-a2", used: used, rotated: "planted-r2")
        guard case .stored(let stored) = try await store.write([write])[first] else {
            Issue.record("not stored")
            return
        }
        let row = try await database.query(columns + "1")
        #expect(!row.contains("planted"), "nothing of it stands there in clear")
        let after = try #require(try await store.loaded()[first])
        #expect(after.accessToken == Secret("planted-a2") && after.grant == .present(version: stored))
        let claimed = try #require(try await store.claim([first]).first)
        #expect(claimed.refreshToken == .success(Secret("planted-r2")))
        #expect(try await store.grants(of: [first]).first?.refreshToken == .success(Secret("planted-r2")))
    }

    @Test(arguments: Way.allCases) func oldKeysOpenAndTheNewOneSeals(way: Way) async throws {
        let database = try await TestDatabase()
        try await put("access-old", .accessToken, of: first, way.sealing(1...1), in: database)
        try await put("refresh-old", .refreshToken, of: first, way.sealing(1...1), in: database)
        let columns = TokenColumns(try way.sealing(1...1), in: .sandbox)
        let store = database.store { $0.tokens = columns }
        columns.use(try way.sealing(1...2))
        #expect(try await store.loaded()[first]?.accessToken == Secret("access-old"))
        let used = try await version(store, first)
        _ = try await store.write([.sample(first, token: "access-new", used: used)])
        let only = self.store(database, try way.sealing(2...2))
        let row = try #require(try await only.rows(of: [first]).first)
        #expect(row.accessToken == Secret("access-new"))
        guard case .unreadable(_, let reason) = row.grant else {
            Issue.record("the refresh token is sealed with the old key still")
            return
        }
        #expect(reason.hasPrefix("The refresh token's column is sealed with the key "), "\(reason)")
    }

    @Test func h20ARowThatDoesNotOpenIsUnreadableAndDisturbsNoOther() async throws {
        let database = try await TestDatabase()
        let sealing = try Way.jwe.sealing()
        let store = store(database, sealing)
        // Somebody moved the other user's value here.
        try await put("refresh-2", .refreshToken, of: second, sealing, in: database)
        try await database.execute(
            """
            UPDATE users SET tastytrade_oauth_refresh_token =
                (SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 2) WHERE id = 1
            """
        )
        let rows = try await store.loaded()
        guard case .unreadable(let version, let reason) = rows[first]?.grant else {
            Issue.record("\(String(describing: rows[first]))")
            return
        }
        #expect(reason == "The refresh token's column was sealed for another row.")
        #expect(rows[second]?.grant.version == version, "the very same text")
        guard case .present = rows[second]?.grant else {
            Issue.record("\(String(describing: rows[second]))")
            return
        }
        let claimed = try #require(try await store.claim([first]).first)
        #expect(claimed.refreshToken == .failure(UnreadableGrant(reason: reason)))
    }

    @Test func aLoadLooksAtTheKeyOfARefreshTokenAndAClaimOpensIt() async throws {
        let database = try await TestDatabase()
        let sealing = try Way.jwe.sealing()
        for user in [first, second] {
            try await put("refresh", .refreshToken, of: user, sealing, in: database)
            try await put("access", .accessToken, of: user, sealing, in: database)
        }
        // One character of the sealed text is another, in a row with an access token and in one without.
        try await database.execute(
            """
            UPDATE users SET tastytrade_oauth_refresh_token = overlay(tastytrade_oauth_refresh_token PLACING
                CASE substr(reverse(tastytrade_oauth_refresh_token), 30, 1) WHEN 'A' THEN 'B' ELSE 'A' END
                FROM length(tastytrade_oauth_refresh_token) - 29);
            UPDATE users SET tastytrade_oauth_token = NULL WHERE id = 2;
            """
        )
        let store = store(database, sealing)
        let rows = try await store.loaded()
        guard case .present? = rows[first]?.grant, case .unreadable? = rows[second]?.grant else {
            Issue.record("\(rows)")
            return
        }
        let claimed = try #require(try await store.claim([first]).first)
        guard case .failure(let reason)? = claimed.refreshToken else {
            Issue.record("\(claimed)")
            return
        }
        #expect(reason.reason.contains("opens with none of the keys"))
    }

    @Test(arguments: Way.allCases) func h20IfNothingOpensTheStartIsRefused(way: Way) async throws {
        let database = try await TestDatabase()
        let sealing = try way.sealing(1...1)
        try await put("access-1", .accessToken, of: first, sealing, in: database)
        try await put("refresh-1", .refreshToken, of: first, sealing, in: database)
        try await put("refresh-2", .refreshToken, of: second, sealing, in: database)
        for wrong in [try way.sealing(2...3), ClearColumns()] as [any ColumnSealing] {
            // The mode `none` does not read refresh tokens at the start; one that is in clear by its looks is enough.
            if wrong is ClearColumns { try await database.execute("DELETE FROM users WHERE id = 2") }
            let failure = await #expect(throws: StoreFailure.self) { try await store(database, wrong).loaded() }
            #expect(failure?.kind == .misconfigured)
            #expect(failure?.lines.first?.hasPrefix("None of the ") == true, "\(String(describing: failure))")
            #expect(failure?.lines.first?.contains("encryption.mode") == true)
        }
    }

    @Test(arguments: Way.allCases) func withoutKeysWhatIsSealedIsNeverTakenForAToken(way: Way) async throws {
        let database = try await TestDatabase()
        try await put("refresh-1", .refreshToken, of: first, way.sealing(), in: database)
        let store = store(database, ClearColumns())
        for grant in try await store.grants(of: [first]).map(\.refreshToken)
            + store.claim([first]).compactMap(\.refreshToken)
        {
            guard case .failure(let unreadable) = grant else {
                Issue.record("a sealed text was given out as a token")
                continue
            }
            #expect(unreadable.reason.contains("this encryption.mode does not open"))
        }
        let rows = try await store.rows(of: [first, second])
        #expect(rows.filter { if case .unreadable = $0.grant { true } else { false } }.map(\.user) == [first])
    }

    @Test(arguments: Way.allCases) func aLookCountsValuesByTheirKeys(way: Way) async throws {
        let database = try await TestDatabase()
        let old = try way.sealing(1...1)
        try await put("access-1", .accessToken, of: first, old, in: database)
        try await put("refresh-1", .refreshToken, of: first, way.sealing(2...2), in: database)
        try await put("refresh-2", .refreshToken, of: second, way.sealing(3...3), in: database)
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) VALUES ('clear'), (NULL), (' '), (repeat('x', 30000))"
        )
        let census = try await store(database, try way.sealing(1...2)).sealCensus(ofRows: 1000)
        #expect(census.rows == 4 && census.inClear == 1 && census.closed == 2)
        #expect(census.sealed.filter(\.key.sealsNow).map(\.value) == [1])
        #expect(census.sealed.filter { !$0.key.sealsNow }.map(\.value) == [1])
        #expect(census.reason?.hasPrefix("The refresh token's column is sealed with the key ") == true)
        #expect(try await store(database, try way.sealing(1...2)).sealCensus(ofRows: 1).rows == 1)
    }

    @Test func aColumnThatIsSearchedByItsValueStaysSo() async throws {
        let database = try await TestDatabase()
        let sealing = try Way.rails.sealing()
        try await put("access-1", .accessToken, of: first, sealing, .deterministic, in: database)
        let store = store(database, sealing)
        _ = try await store.loaded()
        let used = try await version(store, first)
        _ = try await store.write([.sample(first, token: "access-2", used: used)])
        let expected = try sealing.seal(
            Secret("access-2"),
            at: ColumnPlace(.accessToken, of: first, in: .sandbox),
            .deterministic
        )
        #expect(try await database.query("SELECT tastytrade_oauth_token FROM users WHERE id = 1") == expected)
    }

    @Test(arguments: Way.allCases) func aSalvagedRefreshTokenIsSealedToo(way: Way) async throws {
        let database = try await TestDatabase()
        let store = store(database, try way.sealing())
        let used = try await version(store, first)
        let salvage = GrantSalvage(user: first, newRefreshToken: Secret("planted-r2"), usedVersion: used)
        guard case .stored = try await store.salvage([salvage])[first] else {
            Issue.record("not stored")
            return
        }
        #expect(try await !database.query(columns + "1").contains("planted"))
        // After a lost answer: the row holds it, sealed otherwise, and is read again.
        #expect(try await store.salvage([salvage]) == [first: .superseded])
        #expect(try await store.grants(of: [first]).first?.refreshToken == .success(Secret("planted-r2")))
    }

    @Test(arguments: Way.allCases) func theLongestTokenIsSealedAndReadAgain(way: Way) async throws {
        let database = try await TestDatabase()
        let store = store(database, try way.sealing())
        let used = try await version(store, first)
        // What zlib cannot make smaller.
        var generator = SeededGenerator(seed: 1)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let token = String(
            (0..<GrantQueries.longestToken).map { _ in letters[Int.random(in: 0..<64, using: &generator)] }
        )
        _ = try await store.write([.sample(first, token: token, used: used, rotated: token)])
        #expect(try await store.loaded()[first]?.accessToken == Secret(token))
        #expect(try await store.grants(of: [first]).first?.refreshToken == .success(Secret(token)))
    }
}
