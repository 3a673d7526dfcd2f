// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// H29: every way of reading rows says whose row it reads, and looks into none that is to be left alone.
@Suite struct AccountReaderTests {
    private let hands = RecordingHands()

    private func store(_ database: TestDatabase) -> PostgresGrantStore {
        database.store { $0.hands = hands }
    }

    private func version(_ database: TestDatabase) async throws -> Int64 {
        try #require(Int64(try await database.query("SELECT hashtextextended('refresh-1', 0)")))
    }

    @Test func whoseRowIsReadIsInHand() async throws {
        let database = try await TestDatabase()
        let (store, version) = (store(database), try await version(database))
        let user = UserID("1")
        func expectTaken(_ step: HandlingStep, _ read: () async throws -> Int) async throws {
            hands.forget()
            #expect(try await read() >= 1)
            #expect(hands.taken.contains(RecordingHands.Taken(user, version, step)), "\(step.words)")
            #expect(hands.open == 0)
        }
        try await expectTaken(.loading) { try await store.loaded().count }
        try await expectTaken(.reading) { try await store.rows(of: [user]).count }
        try await expectTaken(.keeping) { try await store.grants(of: [user]).count }
        let claimed = try await store.claim([user], sends: false)
        try await expectTaken(.claiming) { try await store.claim([user], sends: false).count }
        let answer = TokenAnswer(
            accessToken: Secret("new"),
            life: TokenLife(sentAt: TestClock().read(), lifetime: .seconds(900)),
            newRefreshToken: nil
        )
        let claim = try #require(claimed.first?.hold.claim)
        let write = GrantWrite(user: user, answer: answer, usedVersion: version, claim: claim)
        try await expectTaken(.writing) { try await store.write([write]).count }
        let salvage = GrantSalvage(user: user, newRefreshToken: Secret("newer"), usedVersion: version)
        try await expectTaken(.salvaging) { try await store.salvage([salvage]).count }
    }

    @Test func whatIsToBeLeftAloneIsUnreadableWithTheReasonAndNoToken() async throws {
        let database = try await TestDatabase()
        let (store, version) = (store(database), try await version(database))
        let (user, other) = (UserID("1"), UserID("2"))
        hands.leave(user, because: "It bites.")
        let unreadable = GrantRow.Grant.unreadable(version: version, reason: "It bites.")

        let rows = try await store.loaded()
        #expect(rows[user]?.grant == unreadable)
        #expect(rows[user]?.accessToken == nil)
        #expect(rows[other]?.grant != unreadable && rows[other] != nil)
        #expect(try await store.rows(of: [user, other]).first { $0.user == user }?.grant == unreadable)
        #expect(
            try await store.grants(of: [user]).map(\.refreshToken) == [.failure(UnreadableGrant(reason: "It bites."))]
        )
        let claimed = try #require(try await store.claim([user], sends: false).first)
        #expect(
            claimed.row.grant == unreadable && claimed.refreshToken == .failure(UnreadableGrant(reason: "It bites."))
        )
        // What was claimed all the same can be given back.
        #expect(claimed.hold.claim?.user == user)
        #expect(!hands.taken.contains { $0.user == user })

        hands.leave(user, because: nil)
        #expect(try await store.rows(of: [user]).first?.grant == .present(version: version))
    }

    @Test func aRowWithoutARefreshTokenIsInHandToo() async throws {
        let database = try await TestDatabase()
        try await database.execute("UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 1")
        let store = store(database)
        #expect(try await store.loaded()[UserID("1")]?.grant == GrantRow.Grant.none)
        #expect(hands.taken.contains(RecordingHands.Taken(UserID("1"), 0, .loading)))
        hands.leave(UserID("1"), because: "It bites.")
        #expect(try await store.loaded()[UserID("1")]?.grant == .unreadable(version: 0, reason: "It bites."))
    }

    @Test func fieldsAreTakenInTwoSteps() {
        var line = Array("1\t\\N\ta\\tb\tlast\n".utf8)
        line.withUnsafeMutableBufferPointer { line in
            var row = PostgresRow()
            let rest = row.fill(copyLine: line, atMost: 2)
            #expect(row.count == 2 && row.text(0) == "1" && row.text(1) == nil)
            if let rest { row.fillRest(copyLine: line, from: rest) }
            #expect(row.count == 4 && row.text(2) == "a\tb" && row.text(3) == "last")
        }
        var plain = Array("1\t2\t3\t4\n".utf8)
        plain.withUnsafeMutableBufferPointer { line in
            var row = PostgresRow()
            #expect(row.fill(copyLine: line, atMost: 4) == nil && row.count == 4, "there is no fifth")
            #expect(row.fill(copyLine: line, atMost: 3) != nil && row.count == 3)
        }
        var short = Array("only\n".utf8)
        short.withUnsafeMutableBufferPointer { line in
            var row = PostgresRow()
            #expect(row.fill(copyLine: line, atMost: 2) == nil && row.count == 1)
        }
    }
}
