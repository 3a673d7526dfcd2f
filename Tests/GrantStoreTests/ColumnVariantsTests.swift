// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// The same way through for every kind of table that the contract allows.
@Suite struct ColumnVariantsTests {
    struct Variant: CustomTestStringConvertible, Sendable {
        let idType: String
        let id: String
        var expiresType = "timestamp(6)"
        var tokenType = "text"
        /// Run as the last step of the set-up, with the database's name.
        var setting: String?
        var testDescription: String { "\(idType), \(expiresType), \(setting ?? "plain")" }
    }

    static let uuid = "3f2b8c1e-9d4a-4b6f-8a7e-0c1d2e3f4a5b"

    static let variants = [
        Variant(idType: "bigint", id: "9223372036854775807"),
        Variant(idType: "integer", id: "-5"),
        Variant(idType: "smallint", id: "7"),
        Variant(idType: "uuid", id: uuid),
        Variant(idType: "text", id: "it's \"{a},b\\ NULL"),
        Variant(idType: "varchar(40)", id: "NULL", tokenType: "varchar(2000)"),
        Variant(idType: "bigint", id: "1", expiresType: "timestamptz"),
        Variant(idType: "bigint", id: "1", setting: "SET TimeZone = 'Asia/Kathmandu'"),
        Variant(idType: "bigint", id: "1", expiresType: "timestamptz", setting: "SET TimeZone = 'Asia/Kathmandu'"),
        Variant(idType: "bigint", id: "1", expiresType: "timestamptz", setting: "SET TimeZone = 'America/St_Johns'"),
        Variant(idType: "bigint", id: "1", setting: "SET DateStyle = 'SQL, DMY'"),
        Variant(idType: "bigint", id: "1", setting: "SET IntervalStyle = 'sql_standard'"),
        Variant(idType: "bigint", id: "1", setting: "SET default_transaction_isolation = 'repeatable read'"),
        Variant(idType: "text", id: "x", setting: "SET standard_conforming_strings = off"),
        Variant(idType: "text", id: "x", setting: "SET search_path = ''"),
        Variant(idType: "bigint", id: "1", setting: "SET client_encoding = 'LATIN1'"),
    ]

    @Test(arguments: variants) func aTokenIsReadWrittenAndReadAgain(_ variant: Variant) async throws {
        let database = try await TestDatabase(setUp: sql(variant))
        if let setting = variant.setting {
            try await database.execute("ALTER DATABASE \(database.name) \(setting)")
        }
        let user = UserID(variant.id)
        let store = database.store { $0.table.table = "public.users" }
        let before = try #require(try await store.loaded()[user])
        #expect(before.expiresAt == .newYear(plus: .seconds(900)))
        let grant = try #require(try await store.grants(of: [user]).first)
        let write = GrantWrite.sample(user, token: "new-access", used: grant.version)
        #expect(try await store.write([write]) == [user: .stored(grantVersion: grant.version)])
        let after = try #require(try await store.rows(of: [user]).first)
        #expect(after.accessToken?.reveal() == "new-access")
        #expect(after.expiresAt == .newYear(plus: .seconds(1900)))
        let again = try #require(try await store.loaded()[user])
        #expect(again.grant == after.grant && again.accessToken == after.accessToken)
        #expect(again.expiresAt == after.expiresAt)
        let utc = variant.expiresType == "timestamptz" ? "AT TIME ZONE 'UTC'" : ""
        let stored = "SELECT to_char(tastytrade_oauth_expires_at \(utc), 'YYYY-MM-DD HH24:MI:SS.US') FROM public.users"
        #expect(try await database.query(stored) == "2026-01-01 00:31:40.000000")
    }

    private func sql(_ variant: Variant) -> String {
        let id = variant.id.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        return """
            CREATE TABLE users (id \(variant.idType) PRIMARY KEY, tastytrade_oauth_token \(variant.tokenType),
                tastytrade_oauth_refresh_token \(variant.tokenType),
                tastytrade_oauth_expires_at \(variant.expiresType));
            INSERT INTO users VALUES ('\(id)', 'access', 'refresh', '2026-01-01 00:15:00Z');
            """
    }

    @Test func namesMayBeAnythingThatSQLAllows() async throws {
        let database = try await TestDatabase(
            setUp: """
                CREATE SCHEMA "My App";
                CREATE TABLE "My App"."Us""ers" ("user" uuid PRIMARY KEY, "Access Token" text, "ref$1" text,
                    "select" timestamptz);
                """
        )
        try await database.execute("INSERT INTO \"My App\".\"Us\"\"ers\" VALUES ('\(Self.uuid)', 'a', 'r', now())")
        let store = database.store {
            $0.table = GrantTable(
                table: "\"My App\".\"Us\"\"ers\"",
                id: "USER",
                accessToken: "\"Access Token\"",
                refreshToken: "Ref$1",
                expiresAt: "select"
            )
        }
        let report = try await store.open()
        #expect(report.table == "\"My App\".\"Us\"\"ers\"")
        #expect(report.idType == "uuid")
        #expect(report.expiryType == "timestamptz")
        let user = UserID(Self.uuid)
        let grant = try #require(try await store.grants(of: [user]).first)
        let outcomes = try await store.write([.sample(user, token: "b", used: grant.version)])
        #expect(outcomes == [user: .stored(grantVersion: grant.version)])
    }

    @Test(arguments: [("timestamp(0)", "00.000000"), ("timestamptz(3)", "00.123000"), ("timestamp", "00.123456")])
    func anExpiryIsRoundedDownToWhatTheColumnKeeps(_ type: String, _ stored: String) async throws {
        let database = try await TestDatabase(
            setUp: TestDatabase.railsTable.replacing("expires_at timestamp(6)", with: "expires_at \(type)")
        )
        let store = database.store()
        let grant = try #require(try await store.grants(of: [UserID("1")]).first)
        let expiry = Moment.newYear + .nanoseconds(123_456_999)
        _ = try await store.write([.sample(UserID("1"), token: "b", used: grant.version, expiresAt: expiry)])
        let seconds = "SELECT to_char(tastytrade_oauth_expires_at, 'SS.US') FROM users WHERE id = 1"
        #expect(try await database.query(seconds) == stored)
    }

    @Test func aRoleThatQuotesEveryNameIsUnderstood() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.url = Secret(database.url() + "&options=-c%20quote_all_identifiers%3Don") }
        #expect(try await store.open().idType == "bigint")
    }

    @Test func idsThatDifferOnlyInHowACharacterIsComposedAreTwoAccounts() async throws {
        let database = try await TestDatabase(
            setUp: TestDatabase.railsTable.replacing("bigserial PRIMARY KEY", with: "text PRIMARY KEY")
                .replacing("(email,", with: "(id, email,").replacing("('a',", with: "(U&'\\00e9', 'a',")
                .replacing("('b',", with: "(U&'e\\0301', 'b',")
        )
        let store = database.store()
        let loaded = try await store.loaded()
        #expect(loaded.count == 2)
        let (composed, combined) = (UserID("\u{e9}"), UserID("e\u{301}"))
        #expect(loaded[composed]?.accessToken?.reveal() == "access-1")
        #expect(loaded[combined]?.accessToken == nil)
        let grants = try await store.claim([composed, combined])
        #expect(Set(grants.map(\.row.user)) == [composed, combined])
    }
}

extension GrantWrite {
    /// A write whose token dies 1900 seconds into the year, of a life of 900 seconds.
    static func sample(
        _ user: UserID,
        token: String,
        used: Int64,
        rotated: String? = nil,
        claim: Claim? = nil,
        expiresAt: Moment = .newYear + .seconds(1900)
    ) -> GrantWrite {
        GrantWrite(
            user: user,
            answer: TokenAnswer(
                accessToken: Secret(token),
                life: TokenLife(expiresAt: expiresAt, lifetime: .seconds(900)),
                newRefreshToken: rotated.map(Secret.init)
            ),
            usedVersion: used,
            claim: claim
        )
    }
}

extension WriteOutcome {
    /// Whether what was to be written is in the row.
    var isStored: Bool {
        if case .stored = self { true } else { false }
    }
}
