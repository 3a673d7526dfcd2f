// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// Databases in other encodings than UTF-8, and what in them cannot be told: it costs its own row, and no other.
@Suite(.timeLimit(.minutes(3))) struct TextEncodingTests {
    /// Values in SQL, as bytes of the database's encoding.
    struct Encoding: CustomTestStringConvertible, Sendable {
        let name: String
        /// An id that UTF-8 has, and how it is told.
        let id: String
        let told: String
        /// No token, whether it can be told or not.
        let noToken: String
        /// Ids that cannot be told.
        var strays: [String] = []
        var testDescription: String { name }
    }

    static let encodings = [
        Encoding(
            name: "SQL_ASCII",
            id: #"E'\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80'"#,
            told: "é日😀",
            noToken: #"E'to\xFFken'"#,
            // Not a beginning, no end, the long way, a surrogate, beyond the last.
            strays: [#"E'a\xFF'"#, #"E'\xC3'"#, #"E'\xC0\xAF'"#, #"E'\xED\xA0\x80'"#, #"E'\xF4\x90\x80\x80'"#]
        ),
        Encoding(name: "LATIN1", id: #"E'\xE9\x80'"#, told: "é\u{80}", noToken: #"E'to\xE9ken'"#),
        Encoding(
            name: "WIN1252",
            id: #"E'\xE9\x80'"#,
            told: "é€",
            noToken: #"E'to\x81ken'"#,
            strays: [#"E'\x81'"#, #"E'\xE9\x8D'"#]
        ),
        Encoding(
            name: "EUC_JP",
            id: #"E'\xB0\xA1'"#,
            told: "亜",
            noToken: #"E'to\xA9\xA1ken'"#,
            strays: [#"E'x\xA9\xA1'"#, #"E'\xA9\xA2\xB0\xA1'"#]
        ),
        Encoding(name: "UTF8", id: #"E'\xC3\xA9'"#, told: "é", noToken: #"E'to\xC3\xA9ken'"#),
    ]

    static let soundToken = #"abc-\\_.~/+=\"'"#

    private static func database(_ encoding: Encoding, isView: Bool = false) async throws -> TestDatabase {
        let row = "'\(soundToken.replacing("'", with: "''"))', '2026-01-01 00:15:00'"
        let strays = encoding.strays.map { "(\($0), 'access', \(row))" }
        let rows =
            [
                "(\(encoding.id), 'access', \(row))", "('plain', 'access', \(row))",
                "('refresh', 'access', \(encoding.noToken), '2026-01-01 00:15:00')",
                "('access', \(encoding.noToken), \(row))",
            ] + strays
        return try await TestDatabase(
            setUp: """
                CREATE TABLE \(isView ? "people" : "users") (id text PRIMARY KEY, tastytrade_oauth_token text,
                    tastytrade_oauth_refresh_token text, tastytrade_oauth_expires_at timestamp(6));
                \(isView ? "CREATE VIEW users AS SELECT * FROM people;" : "")
                INSERT INTO users VALUES \(rows.joined(separator: ", "));
                """,
            encoding: encoding.name
        )
    }

    private static func users(_ encoding: Encoding) -> [UserID] {
        [encoding.told, "plain", "refresh", "access"].map { UserID($0) }
    }

    private func check(_ rows: [UserID: GrantRow], _ encoding: Encoding) throws {
        #expect(Set(rows.keys) == Set(Self.users(encoding)))
        for sound in [encoding.told, "plain"] {
            let row = try #require(rows[UserID(sound)])
            #expect(row.accessToken == Secret("access"))
            guard case .present = row.grant else {
                Issue.record("\(sound): \(row.grant)")
                continue
            }
        }
        for (user, column) in [("refresh", "refresh token"), ("access", "access token")] {
            guard case .unreadable(_, let reason)? = rows[UserID(user)]?.grant else {
                Issue.record("\(user): \(String(describing: rows[UserID(user)]?.grant))")
                continue
            }
            #expect(reason.contains("The \(column)'s column holds a character that no token has"))
        }
        #expect(rows[UserID("access")]?.accessToken == nil)
        #expect(rows[UserID("refresh")]?.accessToken == Secret("access"))
    }

    @Test(arguments: encodings) func whatCannotBeToldCostsNoOtherRow(_ encoding: Encoding) async throws {
        let database = try await Self.database(encoding)
        let store = database.store()
        try check(try await store.loaded(), encoding)
        let users = Self.users(encoding)
        let rows = try await store.rows(of: users)
        try check(Dictionary(uniqueKeysWithValues: rows.map { ($0.user, $0) }), encoding)

        let grants = try await store.grants(of: users)
        let tokens = Dictionary(uniqueKeysWithValues: grants.map { ($0.user.text, try? $0.refreshToken.get()) })
        let sound = Secret(Self.soundToken)
        #expect(tokens == [encoding.told: sound, "plain": sound, "refresh": nil, "access": nil])

        let claimed = try await store.claim(users)
        try check(Dictionary(uniqueKeysWithValues: claimed.map { ($0.row.user, $0.row) }), encoding)
        #expect(claimed.count { (try? $0.refreshToken?.get()) == sound } == 2)
        #expect(claimed.allSatisfy { if case .claimed = $0.hold { true } else { false } })
    }

    @Test(arguments: encodings, [false, true])
    func aPassGoesThrough(_ encoding: Encoding, isView: Bool) async throws {
        let database = try await Self.database(encoding, isView: isView)
        let store = database.store()
        let digests = Collected<RowDigest>()
        let pass = try await store.changes(since: nil) { digests.append($0) }
        #expect(Set(digests.all.map(\.user)) == Set(Self.users(encoding)))
        #expect(pass.rowCount == 4, "what is told of, and held")
        let versions = Dictionary(uniqueKeysWithValues: digests.all.map { ($0.user, $0.grantVersion) })
        for row in try await store.loaded().values { #expect(versions[row.user] == row.grant.version) }
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'b' WHERE id = \(encoding.id)")
        #expect(try await store.digested(since: pass.mark).keys.contains(UserID(encoding.told)))
    }

    @Test(arguments: encodings) func aTokenIsWrittenAndAFailureRemembered(_ encoding: Encoding) async throws {
        let database = try await Self.database(encoding)
        let store = database.store()
        let user = UserID(encoding.told)
        let row = try #require(try await store.loaded()[user])
        for rotated in [nil, "next"] {
            let write = GrantWrite.sample(user, token: "new", used: row.grant.version, rotated: rotated)
            guard case .stored? = try await store.write([write])[user] else {
                Issue.record("not stored")
                return
            }
        }
        #expect(try await store.grants(of: [user]).first?.refreshToken == .success(Secret("next")))
        // Words with characters that the database may lack, and the mark of a text that was cut.
        let words = "日本 é " + String(repeating: "x", count: 1000)
        try await store.remember([
            GrantNote(user: user, status: .expired, grantVersion: 1, consecutiveFailures: 2, lastError: words),
            GrantNote(user: UserID("plain"), status: .active, grantVersion: 1, consecutiveFailures: 0, lastError: nil),
        ])
        let memory = try #require(try await store.loaded()[user]?.memory)
        #expect(memory.status == .expired)
        let told = encoding.name == "UTF8" ? "日本 é x" : #"\u{65e5}\u{672c} \u{e9} x"#
        #expect(memory.lastError?.hasPrefix(told) == true)
    }

    @Test(arguments: encodings) func rowsThatAreLeftAloneAreToldOnce(_ encoding: Encoding) async throws {
        let database = try await Self.database(encoding)
        let log = InMemoryLogHandler()
        let store = database.store(logger: Logger(label: "test") { _ in log })
        func told() -> [String] {
            log.entries.filter { $0.metadata["event"] == "rows.illegible" }.map { "\($0.metadata["rows"] ?? "none")" }
        }
        let mark = try await store.load { _ in }
        _ = try await store.changes(since: mark) { _ in }
        _ = try await store.changes(since: nil) { _ in }
        guard let stray = encoding.strays.first else {
            #expect(told() == [])
            return
        }
        #expect(told() == ["\(encoding.strays.count)"])
        try await database.execute("DELETE FROM users WHERE id = \(stray)")
        _ = try await store.changes(since: mark) { _ in }
        #expect(told() == ["\(encoding.strays.count)", "\(encoding.strays.count - 1)"])
    }

    @Test func manyRowsThatCannotBeToldAreNoEndOfALoad() async throws {
        let database = try await Self.database(Self.encodings[0])
        let many = #"INSERT INTO users (id) SELECT E'\xFF' || n FROM generate_series(1, 2500) n;"#
        try await database.execute("\(many) INSERT INTO users (id) VALUES ('last')")
        #expect(try await database.store().loaded().keys.contains(UserID("last")))
    }

    @Test(arguments: encodings) func changesOfSuchRowsAreTold(_ encoding: Encoding) async throws {
        let database = try await Self.database(encoding)
        _ = try await database.store().migrate()
        let news = Mailbox<ChangeNews>()
        let store = database.store()
        let following = Task { await store.follow { news.send($0) } }
        defer { following.cancel() }
        #expect(await news.next() == .unknown, "it begins")
        for id in encoding.strays + [encoding.id, "'plain'"] {
            try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'c' WHERE id = \(id)")
            let isASCII = id == "'plain'"
            let expected: ChangeNews =
                isASCII || encoding.name == "UTF8"
                ? .users([UserID(isASCII ? "plain" : encoding.told)]) : .unknown
            #expect(await news.next() == expected, "\(id)")
        }
    }

    @Test func aPoolerChangesNothing() async throws {
        let encoding = Self.encodings[0]
        let database = try await Self.database(encoding)
        let pooler = try await TemporaryPooler.start(before: database.server)
        let result: Result<Void, any Error>
        do {
            let store = database.store { $0.url = Secret(pooler.url(database: database.name)) }
            for _ in 0..<5 {
                try check(try await store.loaded(), encoding)
                #expect(try await store.grants(of: Self.users(encoding)).count == 4)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await pooler.tearDown()
        try result.get()
    }
}
