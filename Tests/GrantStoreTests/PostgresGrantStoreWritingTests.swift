// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite struct PostgresGrantStoreWritingTests {
    private let first = UserID("1")
    private let second = UserID("2")

    /// The version of the user's refresh token now.
    private func version(_ store: PostgresGrantStore, _ user: UserID) async throws -> Int64 {
        try #require(try await store.grants(of: [user]).first).version
    }

    @Test func anAnswerWithoutARefreshTokenLeavesThatColumnAndUpdatedAtAlone() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        #expect(
            try await store.write([.sample(first, token: "a2", used: used)]) == [first: .stored(grantVersion: used)]
        )
        let row = try await database.query(
            """
            SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at,
                updated_at IS NULL, email FROM users WHERE id = 1
            """
        )
        #expect(row == "a2|refresh-1|2026-01-01 00:31:40|t|a")
    }

    @Test func theRefreshTokensColumnIsNotEvenNamedUnlessThereIsANewOne() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'touched'; END $$;
            CREATE TRIGGER watch BEFORE UPDATE OF tastytrade_oauth_refresh_token, email, updated_at ON users
                FOR EACH ROW EXECUTE FUNCTION refuse();
            """
        )
        let store = database.store()
        let used = try await version(store, first)
        #expect(
            try await store.write([.sample(first, token: "a2", used: used)]) == [first: .stored(grantVersion: used)]
        )
        let outcomes = try await store.write([.sample(first, token: "a3", used: used, rotated: "r3")])
        guard case .rejected(let reason) = outcomes[first] else { throw Unexpected(outcome: outcomes[first]) }
        #expect(reason.contains("touched"))
    }

    /// So that a row that shows one of them again is known (hard case H5).
    @Test func h5RefreshTokensThatAreReplacedAreWrittenDownAndNoOthers() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        func spent() async throws -> [Int64]? { try await store.rows(of: [first]).first?.memory?.spent }
        let used = try await version(store, first)
        _ = try await store.write([.sample(first, token: "a2", used: used)])
        #expect(try await spent() == [])
        var versions = [used]
        for number in 2...12 {
            guard
                case .stored(let next)? = try await store.write([
                    .sample(first, token: "a\(number)", used: versions[0], rotated: "r\(number)")
                ])[first]
            else {
                Issue.record("it was not stored")
                return
            }
            #expect(try await spent() == Array(versions.prefix(8)))
            versions.insert(next, at: 0)
        }
        let salvage = GrantSalvage(user: first, newRefreshToken: Secret("saved"), usedVersion: versions[0])
        _ = try await store.salvage([salvage])
        #expect(try await spent() == Array(versions.prefix(8)))
        #expect(try await store.loaded()[first]?.memory?.spent == Array(versions.prefix(8)))
        #expect(try await store.claim([first], sends: true).first?.row.memory?.spent == Array(versions.prefix(8)))
    }

    struct Unexpected: Error {
        let outcome: WriteOutcome?
    }

    @Test func aNewRefreshTokenIsStoredWithTheAccessToken() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        let outcomes = try await store.write([.sample(first, token: "a2", used: used, rotated: "refresh-1b")])
        let now = try await version(store, first)
        #expect(outcomes == [first: .stored(grantVersion: now)])
        #expect(now != used)
        let columns = "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = 1"
        #expect(try await database.query(columns) == "a2|refresh-1b")
    }

    @Test func aWriteThatIsRepeatedAfterItsAnswerWasLostIsStoredAgain() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        let write = GrantWrite.sample(first, token: "a2", used: used, rotated: "refresh-1b")
        let outcomes = try await store.write([write])
        #expect(try await store.write([write]) == outcomes)
    }

    @Test func aRowThatHoldsAnotherRefreshTokenIsLeftAlone() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let (used, other) = (try await version(store, first), try await version(store, second))
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 're-enrolled' WHERE id = 1")
        let writes = [
            GrantWrite.sample(first, token: "stale", used: used),
            .sample(second, token: "good", used: other),
            .sample(UserID("77"), token: "gone", used: 1),
            .sample(UserID("no number"), token: "gone", used: 1),
        ]
        let outcomes = try await store.write(writes)
        #expect(outcomes[first] == .superseded)
        #expect(outcomes[second] == .stored(grantVersion: other))
        #expect(outcomes[UserID("77")] == .superseded)
        #expect(outcomes[UserID("no number")] == .superseded)
        let tokens = "SELECT string_agg(tastytrade_oauth_token, ',' ORDER BY id) FROM users"
        #expect(try await database.query(tokens) == "access-1,good")
    }

    @Test func aClearedRefreshTokenIsNotBroughtBack() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 1")
        let outcomes = try await store.write([.sample(first, token: "a", used: used, rotated: "r")])
        #expect(outcomes == [first: .superseded])
        #expect(
            try await database.query("SELECT tastytrade_oauth_refresh_token IS NULL FROM users WHERE id = 1") == "t"
        )
    }

    @Test func aRowThatAConstraintRefusesHoldsUpNoOther() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 40) n;
            ALTER TABLE users ADD CONSTRAINT short_tokens CHECK (length(tastytrade_oauth_token) < 30);
            """
        )
        let store = database.store()
        let secret = String(repeating: "secret-Value1", count: 4)
        let grants = try await store.grants(of: (1...40).map { UserID(String($0)) })
        let writes = grants.map { grant in
            let isLong = ["7", "23"].contains(grant.user.text)
            return GrantWrite.sample(grant.user, token: isLong ? secret : "t\(grant.user)", used: grant.version)
        }
        let outcomes = try await store.write(writes)
        for (user, outcome) in outcomes {
            switch outcome {
            case .stored: #expect(!["7", "23"].contains(user.text))
            case .rejected(let reason):
                #expect(["7", "23"].contains(user.text))
                #expect(reason.contains("short_tokens"))
                #expect(reason.contains("23514"))
                #expect(!reason.contains("secret"))
            case .superseded, .locked, .untried: Issue.record("\(user) was neither stored nor rejected")
            }
        }
        #expect(outcomes.count == 40)
        #expect(try await database.query("SELECT count(*) FROM users WHERE tastytrade_oauth_token LIKE 't%'") == "38")
    }

    @Test(arguments: [
        "RAISE EXCEPTION 'not this one: %', NEW.tastytrade_oauth_token;", "PERFORM 1 / 0;", "PERFORM * FROM missing;",
        "RETURN NULL;",
    ]) func aTriggerThatFailsForOneRowHoldsUpNoOther(_ action: String) async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF NEW.id = 1 THEN \(action) END IF; RETURN NEW; END $$;
            CREATE TRIGGER picky BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION picky();
            """
        )
        let store = database.store()
        let (used, other) = (try await version(store, first), try await version(store, second))
        let outcomes = try await store.write([
            .sample(first, token: "planted-token", used: used), .sample(second, token: "fine", used: other),
        ])
        #expect(outcomes[second] == .stored(grantVersion: other))
        guard case .rejected(let reason) = outcomes[first] else { throw Unexpected(outcome: outcomes[first]) }
        #expect(!reason.contains("planted-token"))
    }

    @Test func aRowThatSomebodyElseHoldsIsRejectedAfterAShortWaitAndHoldsUpNoOther() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let (used, other) = (try await version(store, first), try await version(store, second))
        let holder = database.session()
        try await holder.query("BEGIN")
        try await holder.query("UPDATE users SET email = 'held' WHERE id = 1")
        let writes = [GrantWrite.sample(first, token: "x", used: used), .sample(second, token: "y", used: other)]
        let outcomes = try await store.write(writes, waiting: false)
        #expect(outcomes == [first: .locked, second: .stored(grantVersion: other)])
        let waited = try await store.write([writes[0]], waiting: true)
        #expect(waited == [first: .locked])
        try await holder.query("COMMIT")
        #expect(try await store.write([writes[0]]) == [first: .stored(grantVersion: used)])
    }

    @Test func rowsForWhichNoTimeWasLeftAreSaidToBeUntried() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 60) n"
        )
        let store = database.store()
        let grants = try await store.grants(of: (1...60).map { UserID(String($0)) })
        let holder = database.session()
        try await holder.query("BEGIN")
        try await holder.query("UPDATE users SET email = 'held'")
        // A quarter of a second each: together more than the writer's patience.
        let outcomes = try await store.write(
            grants.map { .sample($0.user, token: "t", used: $0.version) },
            waiting: true
        )
        try await holder.query("COMMIT")
        let untried = grants.map(\.user).filter { outcomes[$0] == .untried }
        let locked = outcomes.values.filter { $0 == .locked }
        #expect(!untried.isEmpty && !locked.isEmpty)
        #expect(untried.count + locked.count == 60)
    }

    @Test func aRowWhoseTriggerTakesLongIsRejectedAndHoldsUpNoOther() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            """
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF NEW.id = 1 THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow();
            """
        )
        // Well above what the store itself lets one row take, so that the server is the one to give up on it.
        let store = database.store { $0.statementDeadline = .seconds(4) }
        let (used, other) = (try await version(store, first), try await version(store, second))
        let writes = [GrantWrite.sample(first, token: "x", used: used), .sample(second, token: "y", used: other)]
        let failure = await store.failure { store async throws(StoreFailure) in
            try await store.write(writes, waiting: false)
        }
        #expect(failure?.kind == .timeout)
        // The server ends the statement that was given up in its own time; until then the row is locked.
        try await database.execute("SELECT id FROM users FOR UPDATE")
        let outcomes = try await store.write(writes, waiting: true)
        #expect(outcomes[second] == .stored(grantVersion: other))
        guard case .rejected(let reason) = outcomes[first] else { throw Unexpected(outcome: outcomes[first]) }
        #expect(reason.contains("57014"))
    }

    @Test func whoWaitsForARowHoldsUpNobodyElsesWrites() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let (used, other) = (try await version(store, first), try await version(store, second))
        let gate = Gate()
        store.waits.submit { _ in gate.wait() }
        async let waited = store.write([.sample(first, token: "x", used: used)], waiting: true)
        let outcome = try await store.write([.sample(second, token: "y", used: other)], waiting: false)
        #expect(outcome == [second: .stored(grantVersion: other)])
        gate.open()
        #expect(try await waited == [first: .stored(grantVersion: used)])
    }

    @Test(arguments: ["with\nbreak", "nul\0", "tökén", "", String(repeating: "x", count: 16385)])
    func aTokenThatCouldNotBeReadAgainIsNotWritten(_ token: String) async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        for write in [
            GrantWrite.sample(first, token: token, used: used), .sample(first, token: "a", used: used, rotated: token),
        ] {
            guard case .rejected = try await store.write([write])[first] else {
                Issue.record("\(token.debugDescription) was written")
                continue
            }
        }
        #expect(try await store.loaded()[first]?.accessToken?.reveal() == "access-1")
    }

    @Test func tokensWithEveryVisibleCharacterGoThereAndBack() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let token = String(decoding: (0x20...0x7E).map { UInt8($0) }, as: UTF8.self)
        let used = try await version(store, first)
        _ = try await store.write([.sample(first, token: token, used: used, rotated: "r\(token)")])
        #expect(try await store.loaded()[first]?.accessToken?.reveal() == token)
        #expect(try await store.grants(of: [first]).first?.refreshToken.get().reveal() == "r\(token)")
    }

    @Test func aUserWhoIsWrittenTwiceInOneCallHasTheLaterToken() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let used = try await version(store, first)
        let writes = ["a", "b", "c"].map { GrantWrite.sample(first, token: $0, used: used) }
        #expect(try await store.write(writes) == [first: .stored(grantVersion: used)])
        #expect(try await store.loaded()[first]?.accessToken?.reveal() == "c")
        #expect(try await store.write([]) == [:])
    }

    @Test func moreThanABatchIsWrittenInOneCall() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 1700) n"
        )
        let store = database.store()
        let grants = try await store.grants(of: (1...1700).map { UserID(String($0)) })
        let outcomes = try await store.write(
            grants.map { grant in
                let rotated = grant.version % 2 == 0 ? "n\(grant.user)" : nil
                return .sample(grant.user, token: "t\(grant.user)", used: grant.version, rotated: rotated)
            }
        )
        #expect(outcomes.count == 1700)
        #expect(
            try await database.query("SELECT count(*) FROM users WHERE tastytrade_oauth_token = 't' || id") == "1700"
        )
        #expect(try await database.query("SELECT count(*) FROM tastytokend.grants") == "1700")
    }
}
