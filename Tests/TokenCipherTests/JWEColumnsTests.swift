// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher
import TokenCore

@Suite struct JWEColumnsTests {
    private let columns: JWEColumns
    private let secret = Secret("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl")

    init() throws {
        columns = try .fixture()
    }

    @Test(arguments: ["", "a", "ab", "abc", "é\u{1F600}\"\\\n", String(repeating: "x", count: 65_536)])
    func whatWasSealedOpensAndDoesNotShow(text: String) throws {
        let stored = try columns.seal(Secret(text), at: .accessToken)
        #expect(
            columns.open(stored, at: .accessToken) == .sealed(Secret(text), by: SealingKey(id: "new", sealsNow: true))
        )
        #expect(text.utf8.count < 4 || !stored.contains(text))
    }

    @Test func hasTheHeaderThatIsDocumented() throws {
        let stored = try columns.seal(secret, at: .accessToken)
        let header = #"{"alg":"dir","enc":"A256GCM","kid":"new","env":"sandbox","col":"access_token","row":"42"}"#
        #expect(stored.hasPrefix(KeySetText.base64URL(Array(header.utf8)) + ".."))
        #expect(stored.utf8.count { $0 == UInt8(ascii: ".") } == 4)
    }

    @Test func isSealedDifferentlyEachTime() throws {
        #expect(try columns.seal(secret, at: .accessToken) != columns.seal(secret, at: .accessToken))
    }

    /// Whatever stands before the id in the header, its length by threes decides how the text is cut for base64.
    @Test(arguments: ["k", "k1", "k12", "-._~", String(repeating: "k", count: 64)]) func anyIdWill(id: String) throws {
        let columns = try JWEColumns.fixture([(id, 1)])
        let stored = try columns.seal(secret, at: .accessToken)
        #expect(columns.sealingKeyID == id)
        #expect(columns.open(stored, at: .accessToken) == .sealed(secret, by: SealingKey(id: id, sealsNow: true)))
    }

    @Test(arguments: ["", "é", "a\"b\\c", "\u{1}\n", "2f1c0c1e-8d7a-4f5e-9f6b-3c1d2e4f5a6b", "\u{1F600}.."])
    func anyRowWill(row: String) throws {
        let place = ColumnPlace(.accessToken, of: UserID(row), in: .production)
        let stored = try columns.seal(secret, at: place)
        #expect(columns.open(stored, at: place).secret == secret)
        #expect(columns.open(stored, at: .accessToken).fault == .otherPlace(.environment))
    }

    @Test func opensNowhereElse() throws {
        let stored = try columns.seal(secret, at: .accessToken)
        for (place, part) in ColumnPlace.others {
            #expect(columns.open(stored, at: place).fault == .otherPlace(part))
        }
    }

    /// Swift takes these two for the same text, and the database does not.
    @Test func rowsAreComparedByteForByte() throws {
        let composed = ColumnPlace(.accessToken, of: UserID("\u{E9}"), in: .sandbox)
        let decomposed = ColumnPlace(.accessToken, of: UserID("e\u{301}"), in: .sandbox)
        #expect(columns.open(try columns.seal(secret, at: composed), at: decomposed).fault == .otherPlace(.row))
    }

    @Test func aClientsSecretIsBoundToItsName() throws {
        let place = ColumnPlace(secretOfClient: "default", in: .sandbox)
        let stored = try columns.seal(secret, at: place)
        #expect(columns.open(stored, at: place).secret == secret)
        let other = ColumnPlace(secretOfClient: "other", in: .sandbox)
        #expect(columns.open(stored, at: other).fault == .otherPlace(.row))
    }

    @Test func theFirstKeySealsAndAllOpen() throws {
        let before = try JWEColumns.fixture([("old", 2)]).seal(secret, at: .accessToken)
        let opened = columns.open(before, at: .accessToken)
        #expect(opened == .sealed(secret, by: SealingKey(id: "old", sealsNow: false)))
        #expect(columns.wantsSealing(opened))
        let after = columns.open(try columns.seal(secret, at: .accessToken), at: .accessToken)
        #expect(!columns.wantsSealing(after))
    }

    @Test func whatAnotherKeySealedIsUnreadable() throws {
        let unknown = try JWEColumns.fixture([("third", 3)]).seal(secret, at: .accessToken)
        #expect(columns.open(unknown, at: .accessToken).fault == .unknownKey(SafeText("third", toBytes: 64)))
        let pretender = try JWEColumns.fixture([("new", 3)]).seal(secret, at: .accessToken)
        #expect(columns.open(pretender, at: .accessToken).fault == .notAuthentic)
    }

    @Test func noDamageOpensAndNoneIsTakenForClearText() throws {
        let stored = try columns.seal(secret, at: .accessToken)
        for damaged in Damage.ofEveryByte(of: stored) + Damage.byCuttingOff(stored) + Damage.byShifting(stored) {
            guard columns.open(damaged, at: .accessToken).fault == nil else { continue }
            Issue.record("opened: \(damaged)")
        }
    }

    @Test func tooLongASecretIsRefused() {
        let secret = Secret(String(repeating: "x", count: 65_537))
        #expect(throws: SealingFailure.tooLong) { try columns.seal(secret, at: .accessToken) }
    }

    @Test func aLongerValueThanAnyIsNotDecoded() throws {
        let stored = try columns.seal(secret, at: .accessToken)
        let long = stored + String(repeating: "A", count: 131_072)
        #expect(columns.open(long, at: .accessToken).fault == .tooLong)
    }

    @Test func clearTextIsReadAndWantsSealing() {
        for text in ["", secret.reveal(), "opaque-token_~+/="] {
            let opened = columns.open(text, at: .accessToken)
            #expect(opened == .clear(Secret(text)))
            #expect(columns.wantsSealing(opened))
        }
    }

    @Test func aMessageOfRailsIsNotOpenedAndNotTakenForClearText() {
        for vector in RailsVector.all {
            #expect(columns.open(vector.stored, at: .accessToken).fault == .otherFormat(.rails))
        }
    }
}
