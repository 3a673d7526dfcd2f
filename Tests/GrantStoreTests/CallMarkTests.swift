// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// H2, H4: what a claim says of calls that may have done away with a refresh token, and what a stop gives back.
@Suite(.timeLimit(.minutes(5))) struct CallMarkTests {
    private let one = UserID("1")

    private func daemon(_ owner: String, _ database: TestDatabase) -> PostgresGrantStore {
        database.store { $0.owner = owner }
    }

    private func runOut(_ database: TestDatabase) async throws {
        try await database.execute("UPDATE tastytokend.claims SET until = now()")
    }

    private func grant(_ store: PostgresGrantStore, sends: Bool = true) async throws -> ClaimedGrant {
        try #require(try await store.claim([one], sends: sends).first)
    }

    private func claim(_ store: PostgresGrantStore) async throws -> Claim {
        try #require(try await grant(store).hold.claim)
    }

    private func isInDoubt(_ store: PostgresGrantStore, sends: Bool = true) async throws -> Bool {
        let grant = try await grant(store, sends: sends)
        try #require(grant.hold.claim != nil, "\(grant.hold)")
        return grant.isInDoubt
    }

    @Test func h4ACallThatIsNotAccountedForIsKnownToWhoeverClaimsNextButNotToWhoMadeIt() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        #expect(try await !isInDoubt(first))
        try await runOut(database)
        let doubtful = try await grant(second)
        #expect(doubtful.hold == .inDoubt(Claim(user: one, epoch: 2)))
        // It waits, and gives the claim back: its own call was not made, the other's may have been.
        try await second.end([ClaimEnd(try #require(doubtful.hold.claim), keptFor: .zero)])
        #expect(try await isInDoubt(daemon("c", database), sends: false), "whatever the next one knows of rotation")
        try await runOut(database)
        #expect(try await !isInDoubt(first), "who made it knows of it, by its journal after a restart")
    }

    @Test func h4ARiskedCallIsNotAccountedForEither() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        _ = try await claim(first)
        try await runOut(database)
        let risked = try await claim(second)
        try await second.end([ClaimEnd(risked, keptFor: .zero, outcome: .open)])
        #expect(try await isInDoubt(first), "another one sent that token too")
    }

    @Test(arguments: [nil, "r2"]) func aStoredAnswerAccountsForEveryCall(rotated: String?) async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        _ = try await claim(first)
        try await runOut(database)
        let grant = try await grant(second)
        let used = grant.row.grant.version
        let write = GrantWrite.sample(one, token: "new", used: used, rotated: rotated, claim: grant.hold.claim)
        #expect(try await second.write([write])[one]?.isStored == true)
        #expect(try await !isInDoubt(daemon("c", database)))
    }

    @Test(arguments: [.known, .lost, .open] as [ClaimEnd.Outcome])
    func anEndTellsWhatBecameOfTheCall(_ outcome: ClaimEnd.Outcome) async throws {
        let database = try await TestDatabase()
        let mine = try await claim(daemon("a", database))
        try await daemon("a", database).end([ClaimEnd(mine, keptFor: .zero, outcome: outcome)])
        let theirs = Claim(user: one, epoch: 2)
        let expected: ClaimedGrant.Hold =
            switch outcome {
            case .known: .claimed(theirs)
            case .lost: .afterLoss(theirs)
            case .open: .inDoubt(theirs)
            }
        #expect(try await grant(daemon("b", database)).hold == expected)
    }

    @Test func h1ALostReplyIsKnownToEverybodyUntilATokenIsStoredOrAnotherGrantIsThere() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        try await first.end([ClaimEnd(try await claim(first), keptFor: .zero, outcome: .lost)])
        // Who tries again and fails for another reason has found out nothing about that; neither has who lost it.
        for store in [second, first] {
            let grant = try await grant(store)
            let claim = try #require(grant.hold.claim)
            #expect(grant.hold == .afterLoss(claim))
            try await store.end([ClaimEnd(claim, keptFor: .zero)])
        }
        let grant = try await grant(second)
        let write = GrantWrite.sample(one, token: "new", used: grant.row.grant.version, claim: grant.hold.claim)
        #expect(try await second.write([write])[one]?.isStored == true)
        #expect(try await self.grant(first).hold == .claimed(Claim(user: one, epoch: 5)))
        try await first.end([ClaimEnd(Claim(user: one, epoch: 5), keptFor: .zero, outcome: .lost)])
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'by hand' WHERE id = 1")
        #expect(try await self.grant(second).hold == .claimed(Claim(user: one, epoch: 6)))
    }

    @Test func h1ALossUnderAClaimThatSaysNothingOfWhatWasSentHarmsNothing() async throws {
        let database = try await TestDatabase()
        let first = daemon("a", database)
        let claim = try #require(try await grant(first, sends: false).hold.claim)
        try await first.end([ClaimEnd(claim, keptFor: .zero, outcome: .lost)])
        #expect(try await grant(daemon("b", database)).hold == .claimed(Claim(user: one, epoch: 2)))
    }

    @Test func anotherRefreshTokenInTheRowIsInNoDoubtUnlessItWasOnlySealedAnew() async throws {
        let database = try await TestDatabase()
        _ = try await claim(daemon("a", database))
        try await runOut(database)
        try await database.execute(
            """
            WITH before AS (SELECT hashtextextended(tastytrade_oauth_refresh_token COLLATE "C", 0) AS v FROM users WHERE id = 1)
            INSERT INTO tastytokend.grants (user_id, status, generation, consecutive_failures, changed_at, sealed_from, sealed_as)
            SELECT '1', 'active', 1, 0, now(), ARRAY[v], hashtextextended('anew' COLLATE "C", 0) FROM before
            """
        )
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'anew' WHERE id = 1")
        #expect(try await isInDoubt(daemon("b", database)))
        try await runOut(database)
        #expect(try await isInDoubt(daemon("c", database)), "the mark of the first is kept beside that of the second")
        try await runOut(database)
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = 'by hand' WHERE id = 1")
        #expect(try await !isInDoubt(daemon("d", database)))
    }

    @Test func withoutRotationNothingIsMarked() async throws {
        let database = try await TestDatabase()
        _ = try await grant(daemon("a", database), sends: false)
        #expect(try await database.query("SELECT count(*) FROM tastytokend.claims WHERE sent_by IS NULL") == "1")
    }

    @Test func aStopGivesBackEveryClaimAndLeavesDoubtWhereThereIsDoubt() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 1500) n"
        )
        let everybody = (1...1500).map { UserID(String($0)) }
        let (first, second) = (daemon("a", database), daemon("b", database))
        let theirs = try #require(try await second.claim([UserID("2")], sends: true).first?.hold.claim)
        let mine = try await first.claim(everybody, sends: true).compactMap(\.hold.claim)
        #expect(mine.count == 1499)
        // One failed, and was kept for the next try; of one the outcome is not known; of the others no call was made.
        let ends = mine.map { ClaimEnd($0, keptFor: .seconds(60), outcome: $0.user == UserID("7") ? .open : .known) }
        try await first.end(ends)
        try await first.releaseClaims()
        let holds = try await second.claim(everybody, sends: true)
        #expect(holds.filter { $0.hold.claim != nil }.count == 1500)
        #expect(holds.filter(\.isInDoubt).map(\.row.user) == [UserID("7")])
        #expect(
            holds.first { $0.row.user == theirs.user }?.hold.claim?.epoch == theirs.epoch + 1,
            "nobody gives back another's"
        )
    }

    @Test func aStopWithoutASchemaHasNothingToGiveBack() async throws {
        let database = try await TestDatabase()
        try await database.store { $0.migratesAtStart = false }.releaseClaims()
    }

    @Test func h2TheLateAnswerOfAPausedHolderGoesInWithoutItsClaimUnlessTheRowHasMovedOn() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (old, next) = (try await grant(first), "r2")
        try await runOut(database)
        let doubtful = try await grant(second)
        #expect(doubtful.isInDoubt)
        let late = GrantWrite.sample(one, token: "late", used: old.row.grant.version, rotated: next)
        let used = old.row.grant.version
        let claimed = GrantWrite.sample(one, token: "late", used: used, rotated: next, claim: old.hold.claim)
        #expect(try await first.write([claimed]) == [one: .superseded])
        #expect(try await first.write([late])[one]?.isStored == true)
        let row = "SELECT tastytrade_oauth_token || ' ' || tastytrade_oauth_refresh_token FROM users WHERE id = 1"
        #expect(try await database.query(row) == "late r2")
        // Whoever claimed it meanwhile can do nothing with what it read.
        for claim in [doubtful.hold.claim, nil] {
            let used = doubtful.row.grant.version
            let theirs = GrantWrite.sample(one, token: "theirs", used: used, rotated: "x", claim: claim)
            #expect(try await second.write([theirs]) == [one: .superseded])
        }
        #expect(try await database.query(row) == "late r2")
        #expect(try await !isInDoubt(second), "it speaks of a refresh token that is not there any more")
    }
}
