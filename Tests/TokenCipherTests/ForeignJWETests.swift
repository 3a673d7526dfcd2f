// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import Testing
import TokenCipher
import TokenCore

/// JWEs that somebody else wrote, with the key `new` of the fixture.
@Suite struct ForeignJWETests {
    private static let key = [UInt8](repeating: 1, count: 32)
    private static let place = #""env":"sandbox","col":"access_token","row":"42""#
    private let columns: JWEColumns

    init() throws {
        columns = try .fixture()
    }

    @Test(arguments: [
        #"{"row":"42","col":"access_token","env":"sandbox","kid":"new","enc":"A256GCM","alg":"dir"}"#,
        #"{ "alg": "dir", "enc": "A256GCM", "kid": "new", "typ": "x", "n": [1, {"a": null}], \#(place) }"#,
        #"{"alg":"d\u0069r","enc":"A256GCM","kid":"new",\#(place)}"#,
    ])
    func anyOrderAndFurtherMembersWill(header: String) throws {
        let opened = columns.open(try seal("token", header), at: .accessToken)
        #expect(opened == .sealed(Secret("token"), by: SealingKey(id: "new", sealsNow: true)))
        #expect(columns.open(try seal("token", header), at: .refreshToken).fault == .otherPlace(.column))
    }

    @Test(arguments: [
        (#"{"alg":"A256KW","enc":"A256GCM","kid":"new",PP}"#, SealFault.unsupported(.algorithm)),
        (#"{"alg":"dir","enc":"A128GCM","kid":"new",PP}"#, .unsupported(.algorithm)),
        (#"{"alg":"none","enc":"A256GCM","kid":"new",PP}"#, .unsupported(.algorithm)),
        (#"{"enc":"A256GCM","kid":"new",PP}"#, .unsupported(.algorithm)),
        (#"{"alg":"dir","enc":"A256GCM","zip":"DEF","kid":"new",PP}"#, .unsupported(.compression)),
        (#"{"alg":"dir","enc":"A256GCM","crit":["exp"],"exp":1,"kid":"new",PP}"#, .unsupported(.extensions)),
        (#"{"alg":"dir","enc":"A256GCM","crit":[],"kid":"new",PP}"#, .unsupported(.extensions)),
        (#"{"alg":"dir","enc":"A256GCM",PP}"#, .unnamedKey),
        (#"{"alg":"dir","enc":"A256GCM","kid":7,PP}"#, .unnamedKey),
        (#"{"alg":"dir","enc":"A256GCM","kid":"new","kid":"new",PP}"#, .malformed(.jwe)),
        (#"{"alg":"dir","enc":"A256GCM","kid":"new",PP,}"#, .malformed(.jwe)),
        (#"{"alg":"dir","enc":"A256GCM","kid":"new"}"#, .unbound),
        (#"{"alg":"dir","enc":"A256GCM","kid":"new","env":"sandbox","col":"access_token"}"#, .unbound),
        (#"{"alg":"dir","enc":"A256GCM","kid":"new","env":"sandbox","col":"access_token","row":42}"#, .unbound),
        (
            #"{"alg":"dir","enc":"A256GCM","kid":"new","env":"moon","col":"access_token","row":"42"}"#,
            .otherPlace(.environment)
        ),
    ])
    func anythingElseIsUnreadable(template: String, fault: SealFault) throws {
        let header = template.replacing("PP", with: Self.place)
        #expect(columns.open(try seal("token", header), at: .accessToken).fault == fault)
    }

    @Test func theEncryptedKeyMustBeEmpty() throws {
        let parts = try seal("token", header).split(separator: ".", omittingEmptySubsequences: false)
        let stored = "\(parts[0]).AAAA.\(parts[2]).\(parts[3]).\(parts[4])"
        #expect(columns.open(stored, at: .accessToken).fault == .malformed(.jwe))
    }

    @Test(arguments: [(11, 16), (13, 16), (0, 16), (12, 15), (12, 4), (12, 17), (12, 0)])
    func nonceAndTagHaveTheirLengths(nonce: Int, tag: Int) throws {
        let parts = try seal("token", header).split(separator: ".", omittingEmptySubsequences: false)
        let texts = [nonce, tag].map { KeySetText.key(0, count: $0) }
        let stored = "\(parts[0])..\(texts[0]).\(parts[3]).\(texts[1])"
        #expect(columns.open(stored, at: .accessToken).fault == .malformed(.jwe))
    }

    @Test func theTextIsStrict() throws {
        let stored = try seal("token", header)
        for other in [stored + "=", stored + "\n", " " + stored, stored.replacing("..", with: "=..")] {
            #expect(columns.open(other, at: .accessToken).fault == .malformed(.jwe))
        }
    }

    @Test func whatIsNoTextIsNotHandedOut() throws {
        #expect(columns.open(try seal([0xFF, 0xFE], header), at: .accessToken).fault == .notText)
    }

    @Test func aForeignKeyIdIsMadeFitToBePrinted() throws {
        let id = String(repeating: "\\u001b", count: 40)
        let stored = try seal("token", #"{"alg":"dir","enc":"A256GCM","kid":"\#(id)",\#(Self.place)}"#)
        let fault = try #require(columns.open(stored, at: .accessToken).fault)
        #expect(fault.description.allSatisfy { $0.isASCII || $0 == "…" } && fault.description.utf8.count < 150)
    }

    private var header: String { #"{"alg":"dir","enc":"A256GCM","kid":"new",\#(Self.place)}"# }

    private func seal(_ text: String, _ header: String) throws -> String {
        try seal(Array(text.utf8), header)
    }

    private func seal(_ bytes: [UInt8], _ header: String) throws -> String {
        let first = KeySetText.base64URL(Array(header.utf8))
        let key = SymmetricKey(data: Self.key)
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Array(first.utf8))
        let parts = [Array(box.nonce), Array(box.ciphertext), Array(box.tag)].map(KeySetText.base64URL)
        return "\(first)..\(parts.joined(separator: "."))"
    }
}
