// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Glibc
import InMemoryLogging
import Logging
import Synchronization
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// What is recorded of hand-outs on both ways, and what becomes of too many records.
@Suite(.timeLimit(.minutes(1))) struct TokenAuditTests {
    /// Keeps what is written.
    private final class Pages: Sendable {
        private let records = Mutex<[TokenAudit.Record]>([])

        func write(_ record: TokenAudit.Record) {
            records.withLock { $0.append(record) }
        }

        var all: [TokenAudit.Record] { records.withLock { $0 } }
        var takes: [TokenTake] { all.compactMap { if case .take(let take) = $0 { take } else { nil } } }
    }

    private func audit(_ pages: Pages, _ settings: AuditSettings = AuditSettings()) -> TokenAudit {
        TokenAudit(settings, write: pages.write)
    }

    private func take(_ user: String, _ secondsLeft: Int64, count: Int = 1, by caller: Caller = .root) -> TokenTake {
        TokenTake(
            user: UserID(user),
            caller: caller.user,
            process: caller.process,
            lastAt: Moment.newYear.wall,
            secondsLeft: secondsLeft,
            count: count
        )
    }

    private static let stream = ["42", "42", "7", "42", "dead", "short", "nobody"].map {
        EmbeddedConnection.request("GET", "/v1/users/\($0)/token", [])
    }.joined()

    /// The connection's loop belongs to one thread, and is gone before anything is awaited.
    private static func answers(usesShortWay: Bool, _ audit: TokenAudit) throws -> String {
        var connection = try TravellingConnection(board: .withUsers(), usesShortWay: usesShortWay, audit: audit)
        try connection.send(Array(stream.utf8)[...])
        return connection.answers
    }

    private static func answer(_ request: String, to caller: Caller = .root, _ audit: TokenAudit) throws -> String {
        let connection = try EmbeddedConnection(board: .withUsers(), caller: caller, audit: audit)
        try connection.send(request)
        return try connection.received()
    }

    @Test(arguments: [true, false]) func bothWaysRecordAlike(usesShortWay: Bool) async throws {
        let pages = Pages()
        let audit = audit(pages)
        #expect(try Self.answers(usesShortWay: usesShortWay, audit).ranges(of: " 200 OK").count == 5)
        await audit.end()
        #expect(pages.takes == [take("42", 600), take("7", 700), take("short", 5), take("42", 600, count: 2)])
    }

    @Test(arguments: [
        ("GET", "token", ["Accept: text/plain"], 1), ("GET", "token?min_ttl=1", [], 1), ("HEAD", "token", [], 0),
        ("GET", "token", ["If-None-Match: *"], 0), ("DELETE", "token", [], 0),
    ])
    func onlyWhatHandsATokenOutIsRecorded(method: String, what: String, fields: [String], count: Int) async throws {
        let pages = Pages()
        let audit = audit(pages)
        _ = try Self.answer(EmbeddedConnection.request(method, "/v1/users/42/\(what)", fields), audit)
        await audit.end()
        #expect(pages.takes.map(\.count) == Array(repeating: 1, count: count))
    }

    @Test func whoMayNotHaveItIsNotRecorded() async throws {
        let pages = Pages()
        let audit = audit(pages)
        let request = EmbeddedConnection.request("GET", "/v1/users/42/token", [])
        #expect(try Self.answer(request, to: .stranger, audit).hasPrefix("HTTP/1.1 403 "))
        await audit.end()
        #expect(pages.all == [])
    }

    @Test func aTokenThatARefreshBroughtIsRecorded() async throws {
        let log = InMemoryLogHandler()
        try await SocketFixture.with(logger: Logger(label: "test") { _ in log }) { fixture in
            fixture.board.publish(.living(.seconds(600), text: "old"), .underWay, for: UserID("42"))
            let client = try await fixture.connect()
            try await client.send(EmbeddedConnection.request("POST", "/v1/users/42/refresh", []))
            await fixture.board.when { !$0.orders.isEmpty && $0.waiters == 1 }
            fixture.board.publish(.living(.seconds(900), text: "new-secret"), for: UserID("42"))
            #expect(try await client.reply().status == 200)
        }
        let records = log.entries.filter { $0.message == "token taken" }
        #expect(records.count == 1)
        let metadata = try #require(records.first?.metadata)
        #expect(
            metadata == [
                "event": "token.taken", "user.id": "42", "caller.uid": .stringConvertible(geteuid()),
                "caller.pid": .stringConvertible(getpid()), "token.seconds_left": .stringConvertible(900),
                "token.takes": .stringConvertible(1), "token.taken_at": "2026-01-01T00:00:00Z",
            ],
            "and nothing of the token"
        )
    }

    @Test func aSampleHasAllHandOutsOfSomeTokens() async {
        let pages = Pages()
        let audit = audit(pages, AuditSettings(sample: 10))
        for number in 1...1000 {
            for caller in [Caller.root, .stranger] {
                let token = PublishedToken.living(.seconds(600), text: "token \(number)")
                audit.took(token, of: UserID("\(number)"), by: caller, at: .newYear)
            }
        }
        await audit.end()
        let byUser = Dictionary(grouping: pages.takes, by: \.user)
        #expect((60...140).contains(byUser.count), "one in ten, about: \(byUser.count)")
        #expect(byUser.values.allSatisfy { $0.count == 2 }, "with all who took them")
    }

    @Test func turnedOffItRecordsNothingMoreAndTellsWhatItKnew() async {
        let pages = Pages()
        let audit = audit(pages)
        let token = PublishedToken.living(.seconds(600))
        for _ in 1...3 { audit.took(token, of: UserID("42"), by: .root, at: .newYear) }
        audit.use(AuditSettings(isOn: false))
        audit.took(token, of: UserID("7"), by: .root, at: .newYear)
        await audit.end()
        #expect(pages.takes == [take("42", 600), take("42", 600, count: 2)])
    }

    @Test func numbersOfDeadTokensAreTold() async {
        let pages = Pages()
        let audit = audit(pages)
        let token = PublishedToken.living(.seconds(600))
        for _ in 1...3 { audit.took(token, of: UserID("42"), by: .root, at: .newYear) }
        audit.tellOfDead(at: .newYear + .seconds(600))
        // A token that is taken up anew is a first one again, which shows that the pair was closed.
        audit.took(token, of: UserID("42"), by: .root, at: .newYear)
        await audit.end()
        #expect(pages.takes.map(\.count) == [1, 2, 1])
    }

    @Test func aWriterThatStandsStillHoldsUpNobodyAndWhatDoesNotFitIsTold() async {
        let pages = Pages()
        let (writes, goesOn) = (Mailbox<Void>(), DispatchSemaphore(value: 0))
        let audit = TokenAudit(AuditSettings()) { record in
            if pages.all.isEmpty {
                writes.send(())
                _ = goesOn.wait(timeout: .now() + 30)
            }
            pages.write(record)
        }
        let token = PublishedToken.living(.seconds(600))
        audit.took(token, of: UserID("first"), by: .root, at: .newYear)
        await writes.next()
        let more = TokenAudit.mostWaiting + 100
        for number in 0..<more { audit.took(token, of: UserID("\(number)"), by: .root, at: .newYear) }
        goesOn.signal()
        await audit.end()
        #expect(pages.takes.count == TokenAudit.mostWaiting + 1)
        #expect(pages.all.last == .dropped(100))
    }
}
