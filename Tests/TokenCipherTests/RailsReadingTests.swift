// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenCipher

/// Values that are not as Rails, or anybody, should have written them.
@Suite struct RailsReadingTests {
    private let columns: RailsColumns
    private let naming: RailsColumns

    init() throws {
        columns = try #require(RailsColumns.usual)
        naming = try #require(RailsColumns.naming)
    }

    @Test func noDamageOpensAndNoneIsTakenForClearText() throws {
        let stored = try columns.seal(Secret("rt_S2Bf9M0bv84djqaganqARaTm"), at: .accessToken)
        for damaged in Damage.ofEveryByte(of: stored) + Damage.byCuttingOff(stored) + Damage.byShifting(stored) {
            guard columns.open(damaged, at: .accessToken).fault == nil else { continue }
            Issue.record("opened: \(damaged)")
        }
    }

    /// A name of a header may be damaged so that it is not known any more; then what it said is missing, and nothing else.
    @Test func noDamageGivesAnotherSecret() throws {
        let secret = Secret(String(repeating: "rt_S2Bf9M0bv84djqaganqARaTm", count: 6))
        let stored = try naming.seal(secret, at: .accessToken)
        for damaged in Damage.ofEveryByte(of: stored) + Damage.byCuttingOff(stored) + Damage.byShifting(stored) {
            let opened = naming.open(damaged, at: .accessToken)
            guard opened.fault == nil, opened.secret != secret else { continue }
            Issue.record("gave another secret: \(damaged)")
        }
    }

    @Test func membersMayComeInAnyOrderWithOthersAmongThem() throws {
        let (payload, nonce, tag) = try parts(of: columns.seal(Secret("token"), at: .accessToken))
        let stored = """
            { "x": [1, {"y": null}], "h": {"at": "\(tag)", "z": 1.5e3,
              "iv": "\(nonce.replacing("/", with: "\\/"))", "c": false}, "p": "\(payload)" }
            """
        #expect(columns.open(stored, at: .accessToken).secret == Secret("token"))
    }

    @Test(arguments: [
        #"{}"#, #"{"p":"PP"}"#, #"{"p":1,"h":{"iv":"NN","at":"TT"}}"#, #"{"p":"PP","h":{"iv":"NN"}}"#,
        #"{"p":"PP","h":{"at":"TT"}}"#, #"{"p":"PP","h":{"iv":"NN","at":"TT"}}x"#, #"["PP",{"iv":"NN","at":"TT"}]"#,
        #"{"p":"PP","h":{"iv":"NN","at":"TT","c":1}}"#, #"{"p":"PP","h":{"iv":"NN","at":"TT","i":"?"}}"#,
        #"{"p":"PP","p":"PP","h":{"iv":"NN","at":"TT"}}"#, #"{"p":"PP","h":{"iv":"NN","at":"TT","e":7}}"#,
        #"{"p":"PP","h":{"iv":"TT","at":"TT"}}"#, #"{"p":"PP","h":{"iv":"NN","at":"NN"}}"#, #""PP""#, "{", "}",
        // A tag of four bytes, which other readers would take.
        #"{"p":"PP","h":{"iv":"NN","at":"AAAAAA=="}}"#,
    ])
    func whatIsNotAWholeMessageIsMalformed(template: String) throws {
        let (payload, nonce, tag) = try parts(of: columns.seal(Secret("token"), at: .accessToken))
        let stored = template.replacing("PP", with: payload).replacing("NN", with: nonce).replacing("TT", with: tag)
        #expect(columns.open(stored, at: .accessToken).fault == .malformed(.rails))
    }

    @Test func base64OfAnotherKindIsRefused() throws {
        // So many bytes that both characters in which the alphabets differ are among them.
        let stored = try columns.seal(Secret(String(repeating: "0123456789", count: 14)), at: .accessToken)
        let urlSafe = stored.replacing("+", with: "-").replacing("/", with: "_")
        try #require(urlSafe != stored)
        #expect(columns.open(urlSafe, at: .accessToken).fault == .malformed(.rails))
        #expect(columns.open(stored.replacing("==", with: ""), at: .accessToken).fault == .malformed(.rails))
    }

    @Test func aValueThatNamesItsKeyIsTriedWithNoOther() throws {
        let stored = try naming.seal(Secret("token"), at: .accessToken)
        let unknown = stored.replacing("NjViOA==", with: "ZmZmZg==")
        #expect(naming.open(unknown, at: .accessToken).fault == .unknownKey(SafeText("ffff", toBytes: 64)))
        let wrong = stored.replacing("NjViOA==", with: "ZWNmNQ==")
        #expect(naming.open(wrong, at: .accessToken).fault == .notAuthentic)
    }

    @Test func aForeignKeyIsNotAuthentic() throws {
        let stored = try RailsColumns.with(["another password"]).seal(Secret("token"), at: .accessToken)
        #expect(columns.open(stored, at: .accessToken).fault == .notAuthentic)
        let salted = try RailsColumns.with([RailsVector.passwordA], salt: "another salt").seal(
            Secret("t"),
            at: .accessToken
        )
        #expect(columns.open(salted, at: .accessToken).fault == .notAuthentic)
    }

    @Test func anEnvelopeIsUnreadableForAReasonOfItsOwn() throws {
        let stored = try columns.seal(Secret("token"), at: .accessToken)
        let envelope = stored.replacing("}}", with: #","k":\#(stored)}}"#)
        #expect(columns.open(envelope, at: .accessToken).fault == .unsupported(.envelope))
    }

    @Test(
        arguments: [("US-ASCII", "token", nil), ("ASCII-8BIT", "é", nil), ("ISO-8859-1", "token", nil)]
            + [("ISO-8859-1", "é", .encoding), ("UTF-16LE", "token", .encoding), ("", "token", .encoding)]
            as [(String, String, SealFault.Feature?)]
    )
    func theEncodingIsUTF8OrTheSame(name: String, text: String, refused: SealFault.Feature?) throws {
        let header = String(decoding: Base64Text.standard.encode(Array(name.utf8)), as: UTF8.self)
        let stored = try columns.seal(Secret(text), at: .accessToken)
        let opened = columns.open(stored.replacing("}}", with: #","e":"\#(header)"}}"#), at: .accessToken)
        #expect(opened.fault == refused.map { .unsupported($0) })
        #expect(opened.secret == (refused == nil ? Secret(text) : nil))
    }

    @Test func whatIsNoTextIsNotHandedOut() throws {
        let stored = try seal([0xFF, 0xFE], isCompressed: false)
        #expect(columns.open(stored, at: .accessToken).fault == .notText)
    }

    @Test func aBombIsNotInflated() throws {
        let bomb = try #require(ZlibStream.deflate([UInt8](repeating: 0x41, count: 50_000_000)))
        #expect(bomb.count < 60_000)
        #expect(columns.open(try seal(bomb, isCompressed: true), at: .accessToken).fault == .tooLong)
    }

    @Test func whatIsNoStreamOfZlibIsMalformed() throws {
        let stream = try #require(ZlibStream.deflate(Array("token".utf8)))
        // Raw deflate, a stream that breaks off, one with something behind it, a wrong checksum.
        var wrong = stream
        wrong[wrong.count - 1] ^= 1
        for bytes in [Array(stream[2...].dropLast(4)), stream.dropLast(), stream + [0], wrong, []] {
            let stored = try seal(Array(bytes), isCompressed: true)
            #expect(columns.open(stored, at: .accessToken).fault == .malformed(.rails))
        }
    }

    @Test func aValueOfAnyLengthIsLookedAtOnlyUpToTheLimit() {
        let long = #"{"p":""# + String(repeating: "A", count: 131_072) + #"","h":{}}"#
        #expect(columns.open(long, at: .accessToken).fault == .tooLong)
    }

    /// Seals bytes that no secret consists of, with the key of the columns.
    private func seal(_ bytes: [UInt8], isCompressed: Bool) throws -> String {
        let settings = RailsSettings(
            primaryKeys: [Secret(RailsVector.passwordA)],
            keyDerivationSalt: Secret(RailsVector.salt)
        )
        let box = try #require(try RailsKeys(settings).sealing(.random)?.cipher.seal(bytes, nil, []))
        return RailsMessage(box: box, keyID: nil, isCompressed: isCompressed).text
    }

    private func parts(of stored: String) throws -> (payload: String, nonce: String, tag: String) {
        let found = try #require(stored.wholeMatch(of: /\{"p":"(.*)","h":\{"iv":"(.*)","at":"(.*)"\}\}/))
        return (String(found.1), String(found.2), String(found.3))
    }
}
