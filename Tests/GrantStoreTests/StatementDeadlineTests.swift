// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

@Suite struct StatementDeadlineTests {
    /// Runs `body` while another session keeps everybody from the table, and until nobody waits for it any more.
    private func whileLocked(_ database: TestDatabase, _ body: () async throws -> Void) async throws {
        let holder = database.session()
        try await holder.query("BEGIN")
        try await holder.query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        try await body()
        try await holder.query(
            """
            DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass)
            LOOP PERFORM pg_sleep(0.01); END LOOP; END $$
            """
        )
        try await holder.query("COMMIT")
    }

    @Test func aStatementThatIsBlockedIsCancelledAtItsDeadlineAndNotDoneLater() async throws {
        let database = try await TestDatabase()
        let patient = database.store()
        let grant = try #require(try await patient.grants(of: [UserID("1")]).first)
        let hasty = database.store { $0.statementDeadline = .seconds(1) }
        try await hasty.open()
        try await whileLocked(database) {
            let read = await hasty.failure { store async throws(StoreFailure) in
                try await store.grants(of: [grant.user])
            }
            #expect(read?.kind == .timeout)
            #expect(read?.text.contains("'grants'") == true)
            let write = await hasty.failure { store async throws(StoreFailure) in
                try await store.write([.sample(grant.user, token: "late", used: grant.version)])
            }
            #expect(write?.kind == .timeout)
            #expect(write?.text.contains("'write'") == true)
        }
        #expect(try await patient.rows(of: [grant.user]).first?.accessToken?.reveal() == "access-1")
    }

    @Test func theNextStatementAfterADeadlineWorks() async throws {
        let database = try await TestDatabase()
        let session = database.session()
        try await session.query("SELECT 1")
        try await whileLocked(database) {
            let failure = await #expect(throws: StoreFailure.self) {
                try await session.query("SELECT id FROM users", within: .seconds(1))
            }
            #expect(failure?.kind == .timeout)
            let next = try await session.query("SELECT 1")
            #expect(next == ["1"])
        }
        #expect(try await session.query("SELECT id FROM users ORDER BY id") == ["1", "2"])
    }

    @Test func aPassThatStandsStillEndsAtItsDeadline() async throws {
        let database = try await TestDatabase()
        let store = database.store { $0.streamDeadline = .seconds(1) }
        try await store.open()
        try await whileLocked(database) {
            let failure = await store.failure { store async throws(StoreFailure) in try await store.load { _ in } }
            #expect(failure?.kind == .timeout)
        }
    }

    @Test func theServersOwnTimeoutIsATimeoutToo() async throws {
        let database = try await TestDatabase()
        try await database.execute("ALTER DATABASE \(database.name) SET statement_timeout = '50ms'")
        let session = database.session()
        let failure = await #expect(throws: StoreFailure.self) { try await session.query("SELECT pg_sleep(60)") }
        #expect(failure?.kind == .timeout)
        #expect(failure?.sqlState == "57014")
        #expect(try await session.query("SELECT 1") == ["1"])
    }

    @Test func moreCallsThanMayWaitAreTurnedAway() async throws {
        let lane = PostgresLane(name: "test", clock: TestClock().read)
        let gate = Gate()
        lane.submit { gate.wait() }
        await withTaskGroup(of: StoreFailure.Kind?.self) { group in
            for _ in 0...PostgresLane.maxWaiting {
                group.addTask {
                    do throws(StoreFailure) {
                        try await lane.run(within: .seconds(60)) { _ in }
                        return nil
                    } catch {
                        return error.kind
                    }
                }
            }
            // The one that is turned away is the first to have an answer.
            #expect(await group.next() == .some(.unavailable))
            gate.open()
            for await kind in group { #expect(kind == nil) }
        }
    }

    @Test func aCallerIsAnsweredThoughTheLaneIsStuckAndItsJobIsNotBegunLate() async throws {
        let lane = PostgresLane(name: "test", clock: TestClock().read)
        let (gate, begun) = (Gate(), Collected<String>())
        lane.submit { gate.wait() }
        let failure = await #expect(throws: StoreFailure.self) {
            try await lane.run(within: .milliseconds(10)) { _ in begun.append(["late"]) }
        }
        #expect(failure?.kind == .timeout)
        gate.open()
        try await lane.run(within: .seconds(60)) { _ in begun.append(["in time"]) }
        #expect(begun.all == ["in time"])
    }
}
