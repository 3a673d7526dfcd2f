// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// Authorizations and links in the daemon's own schema (hard case H32).
@Suite struct AuthorizationStoreTests {
    private func hash(_ number: Int) throws -> SecretHash {
        let digits = String(number, radix: 16)
        return try #require(SecretHash(hex: String(repeating: "0", count: 64 - digits.count) + digits))
    }

    private func authorization(
        _ number: Int = 1,
        user: String = "1",
        client: String? = nil,
        browser: Int? = nil
    ) throws -> PendingAuthorization {
        PendingAuthorization(
            stateHash: try hash(number),
            user: UserID(user),
            client: client,
            origin: try browser.map { .browser(try hash($0)) } ?? .socket,
            redirectURI: "https://app.example/tastytrade/oauth/callback"
        )
    }

    private func link(_ number: Int, user: String = "1", client: String? = nil) throws -> AuthorizationLink {
        AuthorizationLink(hash: try hash(number), user: UserID(user), client: client)
    }

    private static let client = """
        INSERT INTO tastytokend.clients VALUES ('second', 'sandbox', 'id', 'sealed', 'https://app.example', 'read', now())
        """

    private func count(_ table: String, in database: TestDatabase) async throws -> String {
        try await database.query("SELECT count(*) FROM tastytokend.\(table)")
    }

    @Test func onlyAHashIsAHash() throws {
        let digits = String(repeating: "0a", count: 32)
        #expect(SecretHash(hex: digits)?.hex == digits)
        for text in [
            "", "state", digits.uppercased(), digits + "0", String(digits.dropLast()), String(digits.dropLast()) + "g",
        ] {
            #expect(SecretHash(hex: text) == nil)
        }
    }

    @Test("H32: another daemon can finish what one began, and is told all of it", arguments: [nil, 7])
    func h32AnyDaemonFinishes(browser: Int?) async throws {
        let database = try await TestDatabase()
        let first = database.store()
        try await first.open()
        try await database.execute(Self.client)
        let begun = try authorization(client: browser == nil ? nil : "second", browser: browser)
        try await first.begin(begun).get()
        let second = database.store()
        #expect(try await second.peek(begun.stateHash) == Noted(begun, isExpired: false))
        #expect(try await first.peek(begun.stateHash) == Noted(begun, isExpired: false))
        #expect(try await second.take(begun.stateHash, as: try hash(4242)) == Noted(begun, isExpired: false))
        #expect(try await first.take(begun.stateHash, as: try hash(4243)) == nil)
        #expect(try await first.peek(begun.stateHash) == nil)
        let life = "SELECT extract(epoch FROM expires_at - begun_at)::int FROM tastytokend.authorizations"
        try await first.begin(begun).get()
        #expect(try await database.query(life) == "600")
    }

    @Test("H32: of two daemons that take one state at once, one gets it")
    func h32TakenOnce() async throws {
        let database = try await TestDatabase()
        let daemons = [database.store(), database.store(), database.store(), database.store()]
        for daemon in daemons { try await daemon.open() }
        for number in 1...25 {
            let (begun, link) = (try authorization(number), try link(number))
            try await daemons[0].begin(begun).get()
            try await daemons[0].putLink(link).get()
            let taken = try await withThrowingTaskGroup(of: [Bool].self) { group in
                for (index, daemon) in daemons.enumerated() {
                    let ours = try authorization(number * 100 + index, user: "2", browser: index)
                    group.addTask {
                        let isTaken = try await daemon.take(begun.stateHash, as: ours.stateHash) != nil
                        if case .success = try await daemon.begin(ours, spending: link.hash) { return [isTaken, true] }
                        return [isTaken, false]
                    }
                }
                return try await group.reduce(into: [Bool]()) { $0 += $1 }
            }
            #expect(taken.count(where: { $0 }) == 2)
        }
    }

    /// The second waits for the first's transaction, and finds nothing when that is committed.
    @Test("H32: a state that another transaction is taking is not taken again")
    func h32TakenBehindALock() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let begun = try authorization()
        try await store.begin(begun).get()
        let other = database.session()
        try await other.query("BEGIN")
        try await other.query("DELETE FROM tastytokend.authorizations RETURNING 1")
        async let taken = store.take(begun.stateHash, as: try hash(4242))
        try await other.query(
            """
            DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock')
            LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$
            """
        )
        try await other.query("COMMIT")
        let found = try await taken
        #expect(found == nil)
    }

    @Test("H32: what expired by the database's clock is told so, and is spent by that")
    func h32Expired() async throws {
        let database = try await TestDatabase()
        let clock = TestClock()
        let store = database.store(clock: clock)
        let begun = try authorization()
        let link = try link(2)
        try await store.begin(begun).get()
        try await store.putLink(link).get()
        try await database.execute("UPDATE tastytokend.authorizations SET expires_at = now() + interval '1 minute'")
        #expect(try await store.peek(begun.stateHash)?.isExpired == false)
        try await database.execute(
            "UPDATE tastytokend.authorizations SET expires_at = now(); UPDATE tastytokend.authorization_links SET expires_at = now()"
        )
        #expect(try await store.peek(begun.stateHash)?.isExpired == true)
        #expect(try await store.take(begun.stateHash, as: try hash(4242)) == Noted(begun, isExpired: true))
        #expect(try await store.take(begun.stateHash, as: try hash(4243)) == nil)
        #expect(try await store.peekLink(link.hash) == Noted(link, isExpired: true))
        guard case .failure(.linkIsNone) = try await store.begin(try authorization(3), spending: link.hash) else {
            Issue.record("a link whose time is over was good")
            return
        }
    }

    /// Nobody hears of a commit whose connection is lost (hard case H6): the session makes the call once more.
    @Test func h6WhatWasDoneUnheardIsDoneAgainAlike() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let (begun, link) = (try authorization(1, browser: 7), try link(2))
        for _ in 1...2 { try await store.putLink(link).get() }
        for _ in 1...2 { try await store.begin(begun, spending: link.hash).get() }
        #expect(try await store.peekLink(link.hash) == nil)
        for _ in 1...2 { try await store.begin(begun).get() }
        for _ in 1...2 {
            #expect(try await store.take(begun.stateHash, as: try hash(8)) == Noted(begun, isExpired: false))
        }
        #expect(try await store.take(begun.stateHash, as: try hash(9)) == nil, "that is somebody else")
        #expect(try await store.peek(begun.stateHash) == nil)
        guard case .failure(.linkIsNone) = try await store.begin(try authorization(3), spending: link.hash) else {
            Issue.record("a link was good twice")
            return
        }
    }

    @Test func h32ALinkIsSpentOnlyIfSomethingWasBegun() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        let link = try link(2)
        try await store.putLink(link).get()
        guard
            case .failure(.unknownClient) = try await store.begin(
                try authorization(client: "second"),
                spending: link.hash
            )
        else {
            Issue.record("an authorization for a client that is not there")
            return
        }
        #expect(try await store.peekLink(link.hash)?.isExpired == false)
        try await store.begin(try authorization(browser: 7), spending: link.hash).get()
    }

    @Test func aUsersOldestGivesWayToTheTwentyFirst() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        try await store.begin(try authorization(1000, user: "2")).get()
        for number in 1...21 { try await store.begin(try authorization(number)).get() }
        #expect(try await store.peek(try hash(1)) == nil)
        for number in 2...21 { #expect(try await store.peek(try hash(number)) != nil) }
        #expect(try await store.peek(try hash(1000)) != nil)
        #expect(try await count("authorizations", in: database) == "21")
    }

    @Test func oldestLinksGiveWayAmongTheirOwn() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        try await store.putLink(try link(1000, user: "2")).get()
        for number in 1...21 { try await store.putLink(try link(number)).get() }
        #expect(try await count("authorization_links", in: database) == "21")
        #expect(try await store.peekLink(try hash(1)) == nil)
        #expect(try await store.peekLink(try hash(2))?.value.user == UserID("1"))
        #expect(try await store.peekLink(try hash(1000))?.value.user == UserID("2"))
    }

    @Test func aLinkIsGoodForTenMinutes() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        try await store.putLink(try link(1)).get()
        let life = "SELECT extract(epoch FROM expires_at - made_at)::int FROM tastytokend.authorization_links"
        #expect(try await database.query(life) == "600")
        #expect(try await store.peekLink(try hash(1)) == Noted(try link(1), isExpired: false))
        #expect(try await store.peekLink(try hash(2)) == nil)
    }

    @Test func whatExpiredLongAgoIsPurgedByTheNext() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        for number in 1...3 {
            try await store.begin(try authorization(number, user: "\(number)")).get()
            try await store.putLink(try link(number)).get()
        }
        for (table, column) in [("authorizations", "state_hash"), ("authorization_links", "link_hash")] {
            try await database.execute(
                """
                UPDATE tastytokend.\(table) SET expires_at = now() - CASE WHEN \(column) LIKE '%1'
                    THEN interval '1 minute' ELSE interval '61 minutes' END
                """
            )
        }
        try await store.begin(try authorization(4, user: "4")).get()
        try await store.putLink(try link(4)).get()
        #expect(try await count("authorizations", in: database) == "2")
        #expect(try await count("authorization_links", in: database) == "2")
        #expect(try await store.take(try hash(1), as: try hash(4242))?.isExpired == true)
        #expect(try await store.take(try hash(4), as: try hash(4242))?.isExpired == false)
    }

    @Test func daemonsThatBeginAtOnceAllBegin() async throws {
        let database = try await TestDatabase()
        let daemons = [database.store(), database.store(), database.store()]
        for daemon in daemons { try await daemon.open() }
        for number in 1...20 { try await daemons[0].begin(try authorization(number)).get() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, daemon) in daemons.enumerated() {
                let begun = try (0..<20).map { try authorization(100 + index * 20 + $0) }
                group.addTask { for one in begun { try await daemon.begin(one).get() } }
            }
            try await group.waitForAll()
        }
        try await daemons[0].begin(try authorization(1000)).get()
        #expect(try await count("authorizations", in: database) == "20")
    }

    @Test func theyGoWithTheirClientAndNeedOneThatIsThere() async throws {
        let database = try await TestDatabase()
        let store = database.store()
        guard case .failure(.unknownClient) = try await store.begin(try authorization(client: "second")) else {
            Issue.record("an authorization for a client that is not there")
            return
        }
        try await database.execute(Self.client)
        let link = try link(1, client: "second")
        try await store.begin(try authorization(client: "second")).get()
        try await store.begin(try authorization(2)).get()
        try await store.putLink(link).get()
        #expect(try await store.removeClient("second") == .removed)
        #expect(try await store.take(try hash(1), as: try hash(4242)) == nil)
        #expect(try await store.peekLink(link.hash) == nil)
        #expect(try await store.take(try hash(2), as: try hash(4242)) != nil)
        guard case .failure(.unknownClient) = try await store.putLink(link) else {
            Issue.record("a link for a client that is not there")
            return
        }
    }

    @Test func withoutASchemaNothingIsNoted() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.migratesAtStart = false }
        guard case .failure(.noSchema) = try await store.begin(try authorization()),
            case .failure(.noSchema) = try await store.putLink(try link(1))
        else {
            Issue.record("it was noted nowhere")
            return
        }
        #expect(try await store.peek(try hash(1)) == nil)
        #expect(try await store.take(try hash(1), as: try hash(4242)) == nil)
        #expect(try await store.peekLink(try hash(1)) == nil)
    }

    @Test(arguments: [
        "('state', '1', NULL, 'socket', NULL, 'u', now(), now())",
        "(repeat('a', 64), '1', NULL, 'browser', NULL, 'u', now(), now())",
        "(repeat('a', 64), '1', NULL, 'socket', repeat('a', 64), 'u', now(), now())",
        "(repeat('a', 64), '1', NULL, 'else', NULL, 'u', now(), now())",
    ]) func theTableTakesNoClearStateAndNoHalfOrigin(_ values: String) async throws {
        let database = try await TestDatabase()
        try await database.store().open()
        let failure = await #expect(throws: StoreFailure.self) {
            try await database.session().query("INSERT INTO tastytokend.authorizations VALUES \(values)")
        }
        #expect(failure?.sqlState == "23514")
    }
}
