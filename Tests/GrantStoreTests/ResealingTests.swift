// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCipher
import TokenCore

@testable import GrantStore

/// What is stored, sealed anew beside daemons and an application, with the real ciphers on a real PostgreSQL.
@Suite struct ResealingTests {
    typealias Way = SealedColumnsTests.Way

    private let first = UserID("1")
    private let second = UserID("2")
    private let columns = "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = "

    /// A database and its stores: `old` is a daemon with the first key, `new` one with both of which the second seals, and
    /// `reseal` does the sealing.
    private struct Fixture {
        let database: TestDatabase
        let old: PostgresGrantStore
        let new: PostgresGrantStore
        let reseal: PostgresGrantStore

        init(_ way: Way, setUp sql: String = TestDatabase.railsTable) async throws {
            database = try await TestDatabase(setUp: sql)
            let (before, after) = (try way.sealing(1...1), try way.sealing(1...2))
            old = Self.store(database, before, "old")
            new = Self.store(database, after, "new")
            reseal = Self.store(database, after, "reseal")
        }

        private static func store(
            _ database: TestDatabase,
            _ sealing: any ColumnSealing,
            _ owner: String
        ) -> PostgresGrantStore {
            database.store { settings in
                (settings.owner, settings.host) = (owner, "alpha")
                settings.tokens = TokenColumns(sealing, in: .sandbox)
            }
        }

        /// How all values are sealed.
        func census() async throws -> SealCensus {
            try #require(try await reseal.sealPart(after: nil, rows: 1000)).census
        }

        func wanting() async throws -> [UserID] {
            try #require(try await reseal.sealPart(after: nil, rows: 1000)).wanting
        }
    }

    private func claim(_ store: PostgresGrantStore, _ user: UserID) async throws -> (Claim, ClaimedGrant) {
        let grant = try #require(try await store.claim([user]).first)
        guard case .claimed(let claim) = grant.hold else { throw NotClaimed(hold: grant.hold) }
        return (claim, grant)
    }

    private struct NotClaimed: Error {
        let hold: ClaimedGrant.Hold
    }

    private func write(
        _ claim: Claim,
        _ grant: ClaimedGrant,
        _ token: String,
        rotated: String? = nil
    ) -> GrantWrite {
        let plain = GrantWrite.sample(claim.user, token: token, used: grant.row.grant.version, rotated: rotated)
        return GrantWrite(user: claim.user, answer: plain.answer, usedVersion: plain.usedVersion, claim: claim)
    }

    @Test(arguments: Way.allCases) func whatStandsInClearIsSealedAndOpensAsItWas(way: Way) async throws {
        let fixture = try await Fixture(way)
        let before = try await fixture.new.loaded()
        #expect(try await fixture.wanting() == [first, second])
        #expect(try await fixture.reseal.reseal([first, second]) == [first: .sealed, second: .sealed])
        let row = try await fixture.database.query(columns + "1")
        #expect(!row.contains("access-1") && !row.contains("refresh-1"))
        #expect(try await fixture.database.query(columns + "2").hasPrefix("|"), "what is empty stays empty")
        let after = try await fixture.new.loaded()
        #expect(after[first]?.accessToken == Secret("access-1") && after[first]?.expiresAt == before[first]?.expiresAt)
        #expect(
            after[first]?.memory?.sealedAnewFrom == [try #require(before[first]).grant.version],
            "its grant is known again"
        )
        #expect(after[first]?.grant != before[first]?.grant)
        let grants = try await fixture.new.grants(of: [first, second]).map(\.refreshToken)
        #expect(Set(grants) == [.success(Secret("refresh-1")), .success(Secret("refresh-2"))])
        let census = try await fixture.census()
        #expect(census.inClear == 0 && census.sealed.map(\.value) == [3] && census.sealed.keys.allSatisfy(\.sealsNow))
        #expect(try await fixture.reseal.reseal([first, second]) == [first: .unchanged, second: .unchanged])
    }

    @Test(arguments: Way.allCases) func whatAnOlderKeySealedIsSealedByTheNewOne(way: Way) async throws {
        let fixture = try await Fixture(way)
        let (claim, grant) = try await claim(fixture.old, first)
        _ = try await fixture.old.write([write(claim, grant, "a2", rotated: "r2")])
        #expect(try await fixture.wanting() == [first, second])
        _ = try await fixture.reseal.reseal([first, second])
        let sealing = try way.sealing(2...2)
        let only = fixture.database.store { $0.tokens = TokenColumns(sealing, in: .sandbox) }
        #expect(try await only.loaded()[first]?.accessToken == Secret("a2"))
        #expect(
            Set(try await only.grants(of: [first, second]).map(\.refreshToken)) == [
                .success(Secret("r2")), .success(Secret("refresh-2")),
            ]
        )
    }

    @Test func whatADaemonHasInHandIsLeftToIt() async throws {
        let fixture = try await Fixture(.jwe)
        let (claim, grant) = try await claim(fixture.new, first)
        #expect(try await fixture.reseal.reseal([first, second]) == [first: .busy, second: .sealed])
        #expect(try await fixture.database.query(columns + "1") == "access-1|refresh-1")
        guard case .stored? = try await fixture.new.write([write(claim, grant, "a2", rotated: "r2")])[first] else {
            Issue.record("the daemon's write was in the way of nobody")
            return
        }
        #expect(try await fixture.reseal.reseal([first]) == [first: .unchanged])
        #expect(try await fixture.new.grants(of: [first]).first?.refreshToken == .success(Secret("r2")))
        #expect(try await holds(fixture.new) == [first, second], "and no claim of its own is left behind")
    }

    private func holds(_ store: PostgresGrantStore) async throws -> Set<UserID> {
        let grants = try await store.claim([first, second])
        return Set(grants.filter { if case .claimed = $0.hold { true } else { false } }.map(\.row.user))
    }

    @Test func aRowThatSomebodyHoldsIsComeBackTo() async throws {
        let fixture = try await Fixture(.jwe)
        let application = fixture.database.session()
        try await application.run(within: .seconds(30)) { connection, deadline throws(StoreError) in
            try connection.begin(until: deadline)
            _ = try connection.run(Statement("t", "UPDATE users SET email = 'x' WHERE id = 1"), until: deadline)
        }
        #expect(try await fixture.reseal.reseal([first, second]) == [first: .busy, second: .sealed])
        try await application.run(within: .seconds(30)) { connection, deadline throws(StoreError) in
            _ = try connection.run(Statement("t", "COMMIT"), until: deadline)
        }
        #expect(try await fixture.reseal.reseal([first]) == [first: .sealed])
        #expect(try await fixture.database.query("SELECT email FROM users WHERE id = 1") == "x")
    }

    @Test(arguments: ["tastytrade_oauth_token", "tastytrade_oauth_refresh_token"])
    func whatTheApplicationWroteMeanwhileStays(column: String) async throws {
        let fixture = try await Fixture(.jwe)
        let (claim, _) = try await claim(fixture.reseal, first)
        let versions = try await fixture.database.query(
            """
            SELECT hashtextextended(tastytrade_oauth_token, 0), hashtextextended(tastytrade_oauth_refresh_token, 0)
            FROM users WHERE id = 1
            """
        ).split(separator: "|")
        try await fixture.database.execute("UPDATE users SET \(column) = 'theirs' WHERE id = 1")
        let theirs = try await fixture.database.query(columns + "1")
        let arguments = [
            "{1}", "{\(claim.epoch)}", "reseal", "{ours}", "{ours}", "{\(versions[0])}", "{\(versions[1])}",
        ]
        let statement = try #require(fixture.reseal.queries).reseal(rotates: true)
        let isWritten = try await fixture.database.session().run(within: .seconds(30)) {
            connection,
            deadline throws(StoreError) in
            try connection.run(statement, arguments, until: deadline).rows { $0.flag(1) }
        }
        #expect(isWritten == [false])
        #expect(try await fixture.database.query(columns + "1") == theirs)
    }

    /// The hard case: a daemon that was paused beyond its claim, with a new refresh token in hand, while the old one was sealed
    /// anew. The row's text is another one by then, and what the daemon holds is the only grant that is good still.
    @Test(arguments: Way.allCases) func aRotatedReplyInThePausedDaemonsHandIsNotLost(way: Way) async throws {
        let fixture = try await Fixture(way)
        let (claim, grant) = try await claim(fixture.old, first)
        try await fixture.database.execute("UPDATE tastytokend.claims SET until = now()")
        #expect(try await fixture.reseal.reseal([first]) == [first: .sealed])
        #expect(try await fixture.old.write([write(claim, grant, "a2", rotated: "r2")]) == [first: .superseded])
        let salvage = GrantSalvage(user: first, newRefreshToken: Secret("r2"), usedVersion: grant.row.grant.version)
        guard case .stored(let version)? = try await fixture.old.salvage([salvage])[first] else {
            Issue.record("the new refresh token is lost")
            return
        }
        let stored = try #require(try await fixture.new.grants(of: [first]).first)
        #expect(stored.refreshToken == .success(Secret("r2")) && stored.version == version)
        #expect(
            try await fixture.new.rows(of: [first]).first?.memory?.sealedAnewFrom.isEmpty == true,
            "this is another grant"
        )
    }

    @Test func norIfItStoodStillWhileTheRowWasSealedAnewSeveralTimes() async throws {
        let fixture = try await Fixture(.jwe)
        let (_, grant) = try await claim(fixture.old, first)
        for key in 3...5 {
            try await fixture.database.execute("UPDATE tastytokend.claims SET until = now()")
            let sealing = try Way.jwe.sealing(1...key)
            let reseal = fixture.database.store { $0.tokens = TokenColumns(sealing, in: .sandbox) }
            #expect(try await reseal.reseal([first]) == [first: .sealed])
        }
        let sealing = try Way.jwe.sealing(1...5)
        let newest = fixture.database.store { $0.tokens = TokenColumns(sealing, in: .sandbox) }
        let versions = try await newest.rows(of: [first]).first?.memory?.sealedAnewFrom
        #expect(versions?.count == 3 && versions?.last == grant.row.grant.version, "the last one first")
        let salvage = GrantSalvage(user: first, newRefreshToken: Secret("r2"), usedVersion: grant.row.grant.version)
        guard case .stored? = try await fixture.old.salvage([salvage])[first] else {
            Issue.record("the new refresh token is lost")
            return
        }
    }

    @Test func aGrantThatAPersonPutThereIsNotTakenForTheOneThatWasSealedAnew() async throws {
        let fixture = try await Fixture(.jwe)
        let (_, grant) = try await claim(fixture.old, first)
        try await fixture.database.execute("UPDATE tastytokend.claims SET until = now()")
        _ = try await fixture.reseal.reseal([first])
        try await fixture.database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'by hand' WHERE id = 1")
        let salvage = GrantSalvage(user: first, newRefreshToken: Secret("r2"), usedVersion: grant.row.grant.version)
        #expect(try await fixture.old.salvage([salvage]) == [first: .superseded])
        #expect(try await fixture.new.rows(of: [first]).first?.memory?.sealedAnewFrom.isEmpty == true)
    }

    @Test func whatIsRememberedOfTheGrantIsTrueOfItStill() async throws {
        let fixture = try await Fixture(.jwe)
        let version = try #require(try await fixture.new.loaded()[first]).grant.version
        let note = GrantNote(
            user: first,
            status: .reauthorizationRequired,
            grantVersion: version,
            consecutiveFailures: 2,
            lastError: "Grant revoked"
        )
        try await fixture.new.remember([note])
        _ = try await fixture.reseal.reseal([first])
        let sealed = try #require(try await fixture.new.loaded()[first])
        #expect(
            sealed.memory?.grantVersion == sealed.grant.version && sealed.memory?.status == .reauthorizationRequired
        )
        // A daemon that has not heard of it yet speaks of the version before.
        try await fixture.new.remember([note])
        #expect(try await fixture.new.loaded()[first]?.memory?.grantVersion == sealed.grant.version)
    }

    @Test func aRowThatDoesNotOpenOrTakesNoWriteIsLeftAndHoldsUpNoOther() async throws {
        let fixture = try await Fixture(
            .jwe,
            setUp: TestDatabase.railsTable + """
                INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'refresh-' || i FROM generate_series(3, 9) i;
                ALTER TABLE users ADD CHECK (id <> 5 OR tastytrade_oauth_refresh_token = 'refresh-5');
                """
        )
        let foreign = try Way.jwe.sealing(3...3).seal(
            Secret("x"),
            at: ColumnPlace(.refreshToken, of: second, in: .sandbox)
        )
        try await fixture.database.execute(
            "UPDATE users SET tastytrade_oauth_refresh_token = '\(foreign)' WHERE id = 2"
        )
        let users = (1...9).map { UserID("\($0)") }
        #expect(try await fixture.wanting() == users.filter { $0 != second })
        var outcomes = try await fixture.reseal.reseal(users)
        guard case .refused(let reason)? = outcomes.removeValue(forKey: UserID("5")) else {
            Issue.record("row 5 was written")
            return
        }
        #expect(reason.contains("check") && !reason.contains("refresh-5"))
        #expect(outcomes.removeValue(forKey: second) == .unchanged)
        #expect(outcomes.values.allSatisfy { $0 == .sealed } && outcomes.count == 7)
        #expect(try await fixture.database.query(columns + "2") == "|\(foreign)")
    }

    @Test(arguments: ["OLD.tastytrade_oauth_refresh_token", "OLD", "NEW"]) func whatATriggerQuotesOfARowIsNotTold(
        _ quoted: String
    ) async throws {
        let fixture = try await Fixture(
            .jwe,
            setUp: TestDatabase.railsTable + """
                CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no: %', \(quoted); END $$;
                CREATE TRIGGER quote BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION quote();
                """
        )
        let (claim, grant) = try await claim(fixture.old, second)
        guard case .refused(let reason)? = try await fixture.reseal.reseal([first])[first],
            case .rejected(let written)? = try await fixture.old.write([write(claim, grant, "planted-new")])[second]
        else {
            Issue.record("a row was written")
            return
        }
        for reason in [reason, written] {
            #expect(reason.contains("no: "))
            for secret in ["refresh-1", "access-1", "refresh-2", "access-2", "planted-new", "eyJ"] {
                #expect(!reason.contains(secret), "\(reason)")
            }
        }
    }

    @Test func aRowThatATriggerKeepsIsRefusedAndTheColumnThatStaysIsNotNamed() async throws {
        let fixture = try await Fixture(
            .jwe,
            setUp: TestDatabase.railsTable + """
                CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                CREATE TRIGGER keep BEFORE UPDATE OF tastytrade_oauth_refresh_token ON users FOR EACH ROW EXECUTE FUNCTION keep();
                """
        )
        let outcomes = try await fixture.reseal.reseal([first])
        #expect(
            outcomes == [first: .refused(reason: "A trigger or rule of the table kept the row from being changed.")]
        )
        let sealed = try Way.jwe.sealing().seal(
            Secret("refresh-1"),
            at: ColumnPlace(.refreshToken, of: first, in: .sandbox)
        )
        try await fixture.database.execute(
            """
            ALTER TABLE users DISABLE TRIGGER keep;
            UPDATE users SET tastytrade_oauth_refresh_token = '\(sealed)' WHERE id = 1;
            ALTER TABLE users ENABLE TRIGGER keep;
            """
        )
        #expect(try await fixture.reseal.reseal([first]) == [first: .sealed], "only the access token was in clear")
    }

    @Test func whatIsNoTokenIsLeftWithAllOfItsRow() async throws {
        let fixture = try await Fixture(.jwe)
        let blank = try Way.jwe.sealing(1...1).seal(Secret(""), at: ColumnPlace(.accessToken, of: second, in: .sandbox))
        try await fixture.database.execute(
            """
            UPDATE users SET tastytrade_oauth_token = E'two\\nlines' WHERE id = 1;
            UPDATE users SET tastytrade_oauth_token = '\(blank)' WHERE id = 2;
            INSERT INTO users (tastytrade_oauth_refresh_token) VALUES (repeat('x', 30000));
            """
        )
        #expect(try await fixture.wanting() == [second])
        #expect(try await fixture.census().closed == 2)
        let users = [first, second, UserID("3")]
        #expect(
            try await fixture.reseal.reseal(users) == [first: .unchanged, second: .sealed, UserID("3"): .unchanged]
        )
        #expect(
            try await fixture.database.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 1")
                == "refresh-1"
        )
        #expect(try await fixture.census().sealed.keys.allSatisfy(\.sealsNow), "an empty text is sealed anew too")
        #expect(try await fixture.reseal.reasonForUnseenValues() == nil)
    }

    @Test func rowsThatNoWalkMeetsAreKnownOf() async throws {
        let fixture = try await Fixture(
            .jwe,
            setUp: """
                CREATE TABLE users (id text UNIQUE, tastytrade_oauth_token text, tastytrade_oauth_refresh_token text,
                    tastytrade_oauth_expires_at timestamp);
                INSERT INTO users VALUES (NULL, NULL, 'r'), (NULL, NULL, NULL), ('a', NULL, 'r');
                """
        )
        #expect(try await fixture.wanting() == [UserID("a")])
        #expect(try await fixture.reseal.reasonForUnseenValues() == "rows whose ids cannot be told hold values too (1)")
        let view = try await Fixture(
            .jwe,
            setUp: TestDatabase.railsTable + """
                ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people;
                """
        )
        #expect(try await view.reseal.reasonForUnseenValues()?.hasPrefix("it is not a plain table") == true)
    }

    @Test func withoutClaimsNothingIsSealedAnew() async throws {
        let database = try await TestDatabase()
        let sealing = try Way.jwe.sealing()
        let store = database.store { settings in
            settings.migratesAtStart = false
            settings.tokens = TokenColumns(sealing, in: .sandbox)
        }
        let failure = await #expect(throws: StoreFailure.self) { try await store.reseal([first]) }
        #expect(failure?.kind == .misconfigured)
        #expect(try await database.query(columns + "1") == "access-1|refresh-1")
    }

    @Test(arguments: ["bigint", "integer", "uuid", "text"]) func theWalkMeetsEachRowOnce(type: String) async throws {
        let id =
            switch type {
            case "uuid": "gen_random_uuid()"
            case "text": "'user ' || chr(64 + i) || '_' || i"
            default: "i"
            }
        let fixture = try await Fixture(
            .jwe,
            setUp: """
                CREATE TABLE users (id \(type) PRIMARY KEY, tastytrade_oauth_token text,
                    tastytrade_oauth_refresh_token text, tastytrade_oauth_expires_at timestamp);
                INSERT INTO users SELECT \(id), NULL, CASE WHEN i % 5 > 0 THEN 'refresh-' || i END FROM generate_series(1, 50) i;
                """
        )
        var (met, last) = ([UserID](), UserID?.none)
        while let part = try await fixture.reseal.sealPart(after: last, rows: 7) {
            met += part.wanting
            last = part.last
        }
        #expect(met.count == 40 && Set(met).count == 40, "rows without any token are passed over")
        #expect(try await fixture.reseal.reseal(met).values.allSatisfy { $0 == .sealed })
    }

    @Test func aColumnThatIsSearchedByItsValueStaysSo() async throws {
        let fixture = try await Fixture(.rails)
        let place = ColumnPlace(.refreshToken, of: second, in: .sandbox)
        let sealed = try Way.rails.sealing(1...1).seal(Secret("refresh-2"), at: place, .deterministic)
        try await fixture.database.execute("UPDATE users SET tastytrade_oauth_refresh_token = '\(sealed)' WHERE id = 2")
        #expect(try await fixture.wanting() == [first], "the deterministic key is the same")
        _ = try await fixture.reseal.reseal([first])
        let expected = try Way.rails.sealing().seal(Secret("refresh-1"), at: place, .deterministic)
        #expect(
            try await fixture.database.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 1")
                == expected
        )
    }

    @Test func whoSealsByWhichKeyIsKnownBeforeAnythingIsSealedByIt() async throws {
        let fixture = try await Fixture(.jwe)
        #expect(try await fixture.reseal.sealers().isEmpty)
        let (claim, grant) = try await claim(fixture.old, first)
        _ = try await fixture.old.write([write(claim, grant, "a2")])
        #expect(try await fixture.reseal.sealers().map(\.owner) == ["old"], "who wrote has said so")
        _ = try await fixture.new.loaded()
        let sealers = try await fixture.reseal.sealers()
        #expect(sealers.map(\.owner) == ["new", "old"] && sealers.map(\.keyID) == ["key-2", "key-1"])
        #expect(sealers.allSatisfy { $0.host == "alpha" })

        await fixture.old.use(try Way.jwe.sealing(1...2))
        #expect(
            try await fixture.reseal.sealers().filter { $0.owner == "old" }.map(\.keyID) == ["key-1", "key-2"],
            "what was sealed by the key before may be on its way still"
        )
        try await fixture.database.execute(
            "UPDATE tastytokend.sealers SET seen_at = now() - interval '61 s' WHERE key_id = 'key-1'"
        )
        _ = try await fixture.old.digested()
        #expect(try await fixture.reseal.sealers().map(\.keyID) == ["key-2", "key-2"])

        // The word of before may be as old as the pause between two passes when the keys are changed.
        try await fixture.database.execute("UPDATE tastytokend.sealers SET seen_at = seen_at - interval '300 s'")
        await fixture.new.use(try Way.jwe.sealing(1...3))
        #expect(try await fixture.reseal.sealers().filter { $0.owner == "new" }.map(\.keyID) == ["key-2", "key-3"])

        _ = try await fixture.reseal.reseal([first])
        #expect(try await fixture.old.sealers().contains { $0.owner == "reseal" }, "as any other")
        #expect(try await fixture.reseal.sealers().allSatisfy { $0.owner != "reseal" })
        try await fixture.reseal.endSealing()
        #expect(try await fixture.old.sealers().allSatisfy { $0.owner != "reseal" })
    }

    @Test func whoIsGoneIsKnownByItsLastKeyAndARunOfResealNotForLong() async throws {
        let fixture = try await Fixture(.jwe)
        _ = try await fixture.new.loaded()
        try await fixture.database.execute(
            """
            DELETE FROM tastytokend.sealers;
            INSERT INTO tastytokend.sealers (owner, key_id, host, environment, seen_at) VALUES
                ('gone', 'a', 'h', 'sandbox', now() - interval '100 s'), ('gone', 'b', 'h', 'sandbox', now() - interval '90 s'),
                ('reseal-1', 'c', 'h', 'sandbox', now() - interval '61 s'), ('reseal-2', 'd', 'h', 'production', now()),
                ('long gone', 'e', 'h', 'sandbox', now() - interval '25 h')
            """
        )
        let sealers = try await fixture.old.sealers()
        #expect(sealers.map(\.keyID) == ["b", "d"] && sealers.map(\.environment) == [.sandbox, .production])
    }
}
