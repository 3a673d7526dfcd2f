// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// Claims of several daemons on one database.
@Suite struct ClaimTests {
    private let users = [UserID("1"), UserID("2")]

    private func daemon(_ owner: String, _ database: TestDatabase) -> PostgresGrantStore {
        database.store { $0.owner = owner }
    }

    /// Lets the time of all claims be over.
    private func runOut(_ database: TestDatabase) async throws {
        try await database.execute("UPDATE tastytokend.claims SET until = now()")
    }

    private func holds(_ store: PostgresGrantStore) async throws -> [UserID: ClaimedGrant.Hold] {
        let grants = try await store.claim(users)
        return Dictionary(uniqueKeysWithValues: grants.map { ($0.row.user, $0.hold) })
    }

    private func claim(_ store: PostgresGrantStore, _ user: String = "1") async throws -> (Claim, ClaimedGrant) {
        let grant = try #require(try await store.claim([UserID(user)]).first)
        guard case .claimed(let claim) = grant.hold else { throw NotClaimed(hold: grant.hold) }
        return (claim, grant)
    }

    private struct NotClaimed: Error {
        let hold: ClaimedGrant.Hold
    }

    private func isElsewhere(_ hold: ClaimedGrant.Hold?) -> Bool {
        if case .elsewhere(let time)? = hold { time > .seconds(60) && time <= .seconds(90) } else { false }
    }

    /// What fits into no index of the claims costs its own account the refresh, and nobody else's.
    @Test func h29AnAccountThatCannotBeClaimedHoldsUpNoOther() async throws {
        let database = try await TestDatabase(
            setUp: TestDatabase.railsTable.replacing("id bigserial PRIMARY KEY", with: "id text")
        )
        let store = database.store()
        try await store.open()
        try await database.execute(
            """
            UPDATE users SET id = email;
            INSERT INTO users (id, tastytrade_oauth_refresh_token)
            SELECT string_agg(md5(n::text), ''), 'refresh-3' FROM generate_series(1, 400) n
            """
        )
        let long = try await database.query("SELECT id FROM users WHERE length(id) > 1000").split(
            whereSeparator: \.isWhitespace
        ).joined()
        let users = [UserID("a"), UserID(long), UserID("b")]
        let claimed = try await store.claim(users, sends: true)
        let held = claimed.filter { $0.hold.claim != nil }.map(\.row.user)
        #expect(Set(held) == [UserID("a"), UserID("b")])
        #expect(store.health.lastFailure == nil)
    }

    @Test func whatOneDaemonClaimedAnotherFindsClaimed() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let mine = try await holds(first)
        #expect(
            mine == [
                users[0]: .claimed(Claim(user: users[0], epoch: 1)),
                users[1]: .claimed(Claim(user: users[1], epoch: 1)),
            ]
        )
        let theirs = try await holds(second)
        #expect(theirs.count == 2)
        for user in users { #expect(isElsewhere(theirs[user])) }
    }

    @Test func aDaemonTakesItsOwnClaimsUpAgainWithANewEpoch() async throws {
        let database = try await TestDatabase()
        let (before, _) = try await claim(daemon("a", database))
        let (after, grant) = try await claim(daemon("a", database))
        #expect(after.epoch == before.epoch + 1)
        let late = try await daemon("a", database).write([.claimed(before, grant, token: "late")])
        #expect(late == [users[0]: .superseded], "what was claimed before the restart is over")
    }

    @Test func aClaimThatRanOutPassesOnAndItsHolderWritesNothingMore() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (old, grant) = try await claim(first)
        try await runOut(database)
        let (new, _) = try await claim(second)
        #expect(new.epoch == old.epoch + 1)
        #expect(try await first.write([.claimed(old, grant, token: "old")]) == [users[0]: .superseded])
        let stored = try await second.write([.claimed(new, grant, token: "new")])
        guard case .stored? = stored[users[0]] else { return #expect(Bool(false), "\(stored)") }
        #expect(try await database.query("SELECT tastytrade_oauth_token FROM users WHERE id = 1") == "new")
    }

    @Test func aHolderWhoIsLateButWasNotSucceededStillWrites() async throws {
        let database = try await TestDatabase()
        let store = daemon("a", database)
        let (old, grant) = try await claim(store)
        try await runOut(database)
        let outcomes = try await store.write([.claimed(old, grant, token: "late", rotated: "next")])
        guard case .stored? = outcomes[users[0]] else { return #expect(Bool(false), "\(outcomes)") }
        #expect(try await database.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = 1") == "next")
    }

    @Test func aWriteEndsItsClaimAndTheNextClaimSeesWhatWasWritten() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (mine, grant) = try await claim(first)
        _ = try await first.write([.claimed(mine, grant, token: "fresh", rotated: "rotated")])
        let (_, seen) = try await claim(second)
        #expect(seen.row.accessToken == Secret("fresh"))
        #expect(seen.refreshToken == .success(Secret("rotated")))
    }

    @Test func aClaimIsKeptAfterAFailureAsLongAsAskedAndGivenBackAtOnce() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (kept, _) = try await claim(first, "1")
        let (back, _) = try await claim(first, "2")
        try await first.end([ClaimEnd(kept, keptFor: .seconds(80)), ClaimEnd(back, keptFor: .zero)])
        let theirs = try await holds(second)
        #expect(isElsewhere(theirs[users[0]]))
        #expect(theirs[users[1]] == .claimed(Claim(user: users[1], epoch: back.epoch + 1)))
        try await first.end([ClaimEnd(back, keptFor: .zero)])
        #expect(isElsewhere(try await holds(first)[users[1]]), "nobody ends another's claim")
    }

    @Test func noClaimIsKeptLongerThanItsLengthWhateverTheBackoff() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (refused, _) = try await claim(first, "1")
        try await first.end([ClaimEnd(refused, keptFor: .seconds(86_400))])
        #expect(isElsewhere(try await holds(second)[users[0]]), "for ninety seconds at most")
    }

    @Test func anIDThatStandsOnTwoRowsFailsNoOther() async throws {
        let database = try await TestDatabase(
            setUp: TestDatabase.railsTable.replacing("bigserial PRIMARY KEY", with: "bigserial")
        )
        try await database.execute("INSERT INTO users (id, tastytrade_oauth_refresh_token) VALUES (1, 'again')")
        let claimed = try await daemon("a", database).claim(users)
        #expect(Set(claimed.map(\.row.user)) == Set(users))
        for grant in claimed { #expect(grant.hold == .claimed(Claim(user: grant.row.user, epoch: 1))) }
    }

    @Test func aDaemonThatStartedBeforeTheMigrationClaimsAfterIt() async throws {
        let database = try await TestDatabase()
        let early = database.store { ($0.owner, $0.migratesAtStart) = ("a", false) }
        #expect(try await holds(early)[users[0]] == .unguarded)
        _ = try await holds(daemon("b", database))
        // What is asked now and then, to know how changes are learnt of.
        _ = try await early.trigger()
        #expect(isElsewhere(try await holds(early)[users[0]]))
    }

    @Test func manyDaemonsAtOnceClaimEachAccountOnce() async throws {
        let database = try await TestDatabase()
        try await database.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) SELECT 'r' || n FROM generate_series(3, 300) n"
        )
        let everybody = (1...300).map { UserID(String($0)) }
        let claims = try await withThrowingTaskGroup(of: [Claim].self) { group in
            for number in 1...5 {
                let store = daemon("daemon-\(number)", database)
                group.addTask {
                    try await store.claim(everybody.shuffled()).compactMap { grant in
                        if case .claimed(let claim) = grant.hold { claim } else { nil }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claims.count == 300)
        #expect(Set(claims.map(\.user)) == Set(everybody))
        #expect(claims.allSatisfy { $0.epoch == 1 })
    }

    @Test func aClaimThatASessionKeepsLockedHoldsUpNoOtherOfTheBatch() async throws {
        let database = try await TestDatabase()
        let (first, second) = (daemon("a", database), daemon("b", database))
        let (old, _) = try await claim(first, "1")
        try await runOut(database)
        let stuck = database.session()
        try await stuck.query("BEGIN")
        try await stuck.query("SELECT FROM tastytokend.claims WHERE user_id = '1' FOR UPDATE")
        let theirs = try await holds(second)
        #expect(theirs == [users[0]: .elsewhere(.zero), users[1]: .claimed(Claim(user: users[1], epoch: 1))])
        // Not even the one whose claim it is takes it up while another session is at work on it.
        #expect(try await holds(first)[users[0]] == .elsewhere(.zero))
        try await stuck.query("COMMIT")
        #expect(try await holds(second)[users[0]] == .claimed(Claim(user: users[0], epoch: old.epoch + 1)))
    }

    @Test func aRowThatIsGoneIsMissingAndOneWithoutAGrantHasNoToken() async throws {
        let database = try await TestDatabase()
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 2")
        let found = try await daemon("a", database).claim([UserID("2"), UserID("99"), UserID("no number")])
        #expect(found.map(\.row.user) == [UserID("2")])
        #expect(found.first?.refreshToken == nil)
        #expect(found.first?.row.grant == GrantRow.Grant.none)
    }

    @Test func withoutASchemaEverythingIsUnguardedAndWritten() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.migratesAtStart = false }
        let grant = try #require(try await store.claim([users[0]]).first)
        #expect(grant.hold == .unguarded)
        #expect(grant.refreshToken == .success(Secret("refresh-1")))
        let write = GrantWrite.sample(users[0], token: "t", used: grant.row.grant.version)
        guard case .stored? = try await store.write([write])[users[0]] else { return #expect(Bool(false)) }
        try await store.end([ClaimEnd(Claim(user: users[0], epoch: 1), keptFor: .zero)])
    }
}

extension GrantWrite {
    /// A write with a claim, of the version that was read with it.
    fileprivate static func claimed(
        _ claim: Claim,
        _ grant: ClaimedGrant,
        token: String,
        rotated: String? = nil
    ) -> GrantWrite {
        let plain = GrantWrite.sample(claim.user, token: token, used: grant.row.grant.version, rotated: rotated)
        return GrantWrite(user: claim.user, answer: plain.answer, usedVersion: plain.usedVersion, claim: claim)
    }
}
