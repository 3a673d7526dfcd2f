// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// What of many hand-outs becomes a record.
@Suite struct TakeLedgerTests {
    private static let bot = Caller(process: 7, user: 1000, group: 1000)
    private static let web = Caller(process: 8, user: 2000, group: 2000)

    private static let client = ClientRegistration(
        name: "default",
        environment: .sandbox,
        clientID: nil,
        clientSecret: Secret("secret"),
        apiURL: "https://api.cert.tastyworks.com"
    )

    private static func token(_ text: String, living life: Duration = .seconds(900)) -> PublishedToken {
        BareRenderer().render(
            Secret(text),
            type: "Bearer",
            life: TokenLife(expiresAt: .newYear + life, lifetime: .seconds(900)),
            for: client
        )
    }

    /// A ledger with what it told.
    private struct Book {
        var ledger: TakeLedger
        var records: [TokenTake] = []

        init(room: Int = 8) {
            ledger = TakeLedger(room: room)
        }

        mutating func take(_ token: PublishedToken, of user: String, by caller: Caller = bot, after seconds: Int64 = 0)
        {
            ledger.take(token, of: UserID(user), by: caller, at: .newYear + .seconds(seconds), into: &records)
        }

        mutating func closeDead(after seconds: Int64, lookingAt few: Int = 100) {
            ledger.closeDead(at: .newYear + .seconds(seconds), lookingAt: few, into: &records)
        }

        /// The records since the last look, as `user/uid count`.
        mutating func told() -> [String] {
            defer { records = [] }
            return records.map { "\($0.user)/\($0.caller) \($0.count)" }
        }
    }

    @Test func theFirstHandOutIsToldAtOnceAndSaysWhoWhenAndHowMuchLifeIsLeft() {
        var book = Book()
        book.take(Self.token("one"), of: "42", after: 300)
        #expect(
            book.records == [
                TokenTake(
                    user: UserID("42"),
                    caller: 1000,
                    process: 7,
                    lastAt: (.newYear + .seconds(300)).wall,
                    secondsLeft: 600,
                    count: 1
                )
            ]
        )
    }

    @Test func furtherOnesAreToldAsANumberWithTheNextToken() {
        var book = Book()
        for second in 0..<5 { book.take(Self.token("one"), of: "42", after: Int64(second)) }
        #expect(book.told() == ["42/1000 1"])
        book.take(Self.token("two", living: .seconds(1000)), of: "42", after: 100)
        #expect(book.records.first?.secondsLeft == 900)
        #expect(book.told() == ["42/1000 5"], "four further ones of the first token, and this one")
        book.take(Self.token("three"), of: "42", after: 101)
        #expect(book.told() == ["42/1000 1"])
    }

    @Test func callersAndUsersAreToldApart() {
        var book = Book()
        let token = Self.token("one")
        book.take(token, of: "42")
        book.take(token, of: "42", by: Self.web)
        book.take(token, of: "43")
        book.take(token, of: "42", by: Caller(process: 9, user: 1000, group: 5))
        #expect(
            book.told() == ["42/1000 1", "42/2000 1", "43/1000 1"],
            "another process of the same uid is the same caller"
        )
    }

    @Test func theSameTokenRenderedAnewIsStillTheSame() {
        var book = Book()
        book.take(Self.token("one"), of: "42")
        book.take(Self.token("one", living: .seconds(899)), of: "42")
        #expect(book.told() == ["42/1000 1"])
    }

    @Test func theNumberIsToldWhenTheTokenIsDead() {
        var book = Book()
        for user in ["1", "2", "3"] { book.take(Self.token("t\(user)"), of: user) }
        book.take(Self.token("t2"), of: "2", after: 10)
        book.take(Self.token("t2"), of: "2", after: 20)
        _ = book.told()
        book.closeDead(after: 899)
        #expect(book.told() == [])
        #expect(book.ledger.count == 3)
        book.closeDead(after: 900)
        #expect(book.records.first?.secondsLeft == 880, "of the last hand-out")
        #expect(book.told() == ["2/1000 2"], "nobody else took more than was told")
        #expect(book.ledger.count == 0)
    }

    @Test func aLookTakesFewAndTheNextOneGoesOn() {
        var book = Book()
        for user in 1...8 {
            book.take(Self.token("t\(user)", living: .seconds(user % 2 == 0 ? 900 : 100)), of: "\(user)")
        }
        book.closeDead(after: 200, lookingAt: 2)
        #expect((6...7).contains(book.ledger.count), "no more than two were looked at")
        for _ in 1...8 { book.closeDead(after: 200, lookingAt: 1) }
        #expect(book.ledger.count == 4)
        for user in 1...8 where user % 2 == 0 { book.take(Self.token("t\(user)"), of: "\(user)", after: 300) }
        book.records = []
        book.ledger.closeAll(into: &book.records)
        #expect(Set(book.told()) == ["2/1000 1", "4/1000 1", "6/1000 1", "8/1000 1"])
    }

    @Test func whoeverWasNotHeardOfForTheLongestMakesRoom() {
        var book = Book(room: 2)
        book.take(Self.token("a"), of: "a")
        book.take(Self.token("b"), of: "b")
        book.take(Self.token("b"), of: "b")
        book.take(Self.token("c"), of: "c")
        #expect(
            book.told() == ["a/1000 1", "b/1000 1", "b/1000 1", "c/1000 1"],
            "what made room told its number first"
        )
        #expect(book.ledger.count == 2)
        book.take(Self.token("c"), of: "c")
        book.take(Self.token("b"), of: "b")
        #expect(book.told() == ["b/1000 1"])
    }

    @Test(arguments: 1...20) func noHandOutIsLostWhateverComes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var book = Book(room: 6)
        var taken: [String: Int] = [:]
        for second in 0..<2000 {
            let user = "\(Int.random(in: 1...5, using: &generator))"
            let caller = Bool.random(using: &generator) ? Self.bot : Self.web
            let version = second / Int.random(in: 200...400, using: &generator)
            book.take(
                Self.token("\(user).\(version)", living: .seconds(version * 300 + 300)),
                of: user,
                by: caller,
                after: Int64(second)
            )
            taken["\(user)/\(caller.user)", default: 0] += 1
            if second % 50 == 0 { book.closeDead(after: Int64(second), lookingAt: 2) }
        }
        book.ledger.closeAll(into: &book.records)
        let told = Dictionary(book.records.map { ("\($0.user)/\($0.caller)", $0.count) }, uniquingKeysWith: +)
        #expect(told == taken)
        #expect(book.records.count < 2000, "they are told together")
        #expect(book.records.allSatisfy { $0.count > 0 })
    }
}
