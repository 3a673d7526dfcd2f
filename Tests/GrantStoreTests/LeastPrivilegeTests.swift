// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// The rights that docs/database.md names are enough, and give no more than they should.
@Suite(.serialized) struct LeastPrivilegeTests {
    /// The document's statements: the role, what it needs of a schema that was made for it, what it needs to make it.
    private static let statements: [String] = {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let folder = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try? String(contentsOf: folder.appendingPathComponent("docs/database.md"), encoding: .utf8)
        return (text ?? "").components(separatedBy: "```sql\n").dropFirst().map { block in
            block.components(separatedBy: "```")[0]
        }
    }()

    /// A database in which the document's first statements were run, for a role that only this test has.
    private func prepared() async throws -> (TestDatabase, role: String) {
        let database = try await TestDatabase()
        let role = "daemon_\(database.name)"
        try #require(Self.statements.count == 3)
        try await database.execute(statement(0, database, role))
        return (database, role)
    }

    private func statement(_ number: Int, _ database: TestDatabase, _ role: String) -> String {
        Self.statements[number].replacing("TO tastytokend", with: "TO \(role)")
            .replacing("ROLE tastytokend", with: "ROLE \(role)").replacing("optionbotpro", with: database.name)
    }

    @Test func aSchemaThatTheOwnerMadeIsEnough() async throws {
        let (database, role) = try await prepared()
        _ = try await database.store().migrate()
        try await database.execute(statement(1, database, role))
        try await useEverything(database, role)
    }

    @Test func theRoleCanMakeItAllItself() async throws {
        let (database, role) = try await prepared()
        try await database.execute(statement(2, database, role))
        #expect(try await database.store(user: role).migrate().statements.isEmpty == false)
        try await useEverything(database, role)
        let failure = await database.store(user: role).failure { store async throws(StoreFailure) in
            try await store.removeMigration()
        }
        #expect(failure?.sqlState == "42501")
    }

    @Test(arguments: [
        "SELECT email FROM users", "UPDATE users SET email = 'x'", "UPDATE users SET id = 3", "DELETE FROM users",
        "INSERT INTO users (id) VALUES (9)", "TRUNCATE users", "ALTER TABLE users ADD x int",
    ]) func nothingElseIsAllowed(_ sql: String) async throws {
        let (database, role) = try await prepared()
        let failure = await #expect(throws: StoreFailure.self) { try await database.session(user: role).query(sql) }
        #expect(failure?.sqlState == "42501")
    }

    private static func proven(_ user: UserID) -> ProvenGrant {
        let answer = GrantWrite.sample(user, token: "proof", used: 0).answer
        return ProvenGrant(user: user, used: Secret("by-hand"), answer: answer, client: nil, environment: .sandbox)
    }

    @Test func withoutASchemaAnAccountIsConnectedAllTheSame() async throws {
        let (database, role) = try await prepared()
        let store = database.store(user: role)
        #expect(try await store.open().ownSchema.isPresent == false)
        let user = UserID("2")
        #expect(try await store.connect(Self.proven(user)) == .done)
        #expect(try await store.grants(of: [user]).first?.refreshToken == .success(Secret("by-hand")))
        #expect(try await store.disconnect(user) == .done)
        #expect(try await store.grants(of: [user]).isEmpty)
    }

    private func claimAndWrite(_ store: PostgresGrantStore, _ user: UserID) async throws {
        let claimed = try #require(try await store.claim([user]).first)
        guard case .claimed(let claim) = claimed.hold else {
            Issue.record("nothing was claimed: \(claimed.hold)")
            return
        }
        let version = claimed.row.grant.version
        let plain = GrantWrite.sample(user, token: "claimed", used: version)
        let write = GrantWrite(user: user, answer: plain.answer, usedVersion: version, claim: claim)
        #expect(try await store.write([write], waiting: false) == [user: .stored(grantVersion: version)])
        #expect(try await store.write([.sample(user, token: "alone", used: version)], waiting: true).count == 1)
        try await store.end([ClaimEnd(claim, keptFor: .zero)])
        let salvage = GrantSalvage(user: user, newRefreshToken: Secret("refresh-3"), usedVersion: version)
        guard case .stored? = try await store.salvage([salvage])[user] else {
            Issue.record("a new refresh token could not be saved alone")
            return
        }
    }

    private func useLinks(_ store: PostgresGrantStore, _ user: UserID) async throws {
        let hash = try #require(SecretHash(hex: String(repeating: "a", count: 64)))
        let begun = PendingAuthorization(stateHash: hash, user: user, client: nil, origin: .socket, redirectURI: "u")
        try await store.begin(begun).get()
        #expect(try await store.peek(hash)?.value == begun)
        #expect(try await store.take(hash, as: hash)?.value == begun)
        try await store.putLink(AuthorizationLink(hash: hash, user: user, client: nil)).get()
        #expect(try await store.peekLink(hash)?.value.user == user)
        #expect(try await store.removeClient("none") == .unknown)
    }

    private func useEverything(_ database: TestDatabase, _ role: String) async throws {
        let store = database.store(user: role)
        let report = try await store.open()
        #expect(report.ownSchema == .present(version: Migration.newest))
        #expect(report.trigger == .present)
        #expect(report.notices == [])
        let mark = try #require(try await store.load { _ in })
        let user = UserID("1")
        let grant = try #require(try await store.grants(of: [user]).first)
        #expect(try grant.refreshToken.get().reveal() == "refresh-1")
        let answer = try await store.write([.sample(user, token: "new", used: grant.version)])
        #expect(answer == [user: .stored(grantVersion: grant.version)])
        let rotated = GrantWrite.sample(user, token: "newer", used: grant.version, rotated: "refresh-2")
        if case .stored = try await store.write([rotated])[user] {
        } else {
            Issue.record("a rotated token was not stored")
        }
        try await claimAndWrite(store, user)
        #expect(try await store.sawRotation(of: "default") == false)
        try await store.noteRotation(of: "default")
        #expect(try await store.sawRotation(of: "default"))
        let note = GrantNote(
            user: user,
            status: .degraded,
            grantVersion: nil,
            consecutiveFailures: 1,
            lastError: "x"
        )
        try await store.remember([note])
        #expect(try await store.rows(of: [user]).first?.memory?.status == .degraded)
        #expect(try await store.changes(since: mark) { _ in }.isComplete == false)
        #expect(try await store.disconnect(user) == .done)
        #expect(try await store.connect(Self.proven(user)) == .done)
        #expect(try await store.accountsByClient().isEmpty)
        try await useLinks(store, user)
        let news = Mailbox<ChangeNews>()
        let following = Task { await store.follow { news.send($0) } }
        #expect(await news.next() == .unknown)
        following.cancel()
        await following.value
    }
}
