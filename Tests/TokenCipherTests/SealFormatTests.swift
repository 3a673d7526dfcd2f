// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenCipher

@Suite struct SealFormatTests {
    @Test(arguments: [
        "", "a", "f", "token", "eyJzdWIi", "eyJhbGciOiJFZERTQSJ9",
        "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJhIjoxfQ.c2ln",
        "1//0abc.def", "a.b.c.d.e", "YWJj+/==", "opaque..token",
    ])
    func clearTextIsClear(text: String) {
        #expect(format(of: text) == nil)
        #expect(ClearColumns().open(text, at: .accessToken) == .clear(Secret(text)))
    }

    @Test(arguments: [
        "e", "eyJ", "eyJhbGciOiJkaXIi", "eyJhbGciOiJkaXIiLCJlbmMi", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoi",
        // Another header, cut off, and a header that cannot be read with the rest of a value.
        "eyJlbmMiOiJBMjU2R0NNIn0", "eyJlbmMiOiJBMjU2R0NNIn0.AAAA.BBBB", "????..AAAA.BBBB.CCCC",
        // With an encrypted key: not one of ours, but sealed.
        "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIn0.AAAA.BBBB.CCCC.DDDD",
    ])
    func aJWEIsRecognisedEvenInPart(text: String) {
        #expect(format(of: text) == .jwe)
        #expect(ClearColumns().open(text, at: .accessToken).fault == .otherFormat(.jwe))
    }

    @Test(arguments: ["{", #"{"p":"#, #"x"p":"AAAA""#, "AAAA}}", #"{"p":"","h":{}}"#])
    func aMessageIsRecognisedEvenInPart(text: String) {
        #expect(format(of: text) == .rails)
        #expect(ClearColumns().open(text, at: .accessToken).fault == .otherFormat(.rails))
    }

    /// Whatever is sealed stays unreadable where nothing is opened, damaged or not.
    @Test func nothingSealedIsClear() throws {
        let jwe = try JWEColumns.fixture().seal(Secret("token"), at: .accessToken)
        for sealed in [jwe] + RailsVector.all.map(\.stored) {
            for text in [sealed] + Damage.ofEveryByte(of: sealed) + Damage.byCuttingOff(sealed) {
                guard ClearColumns().open(text, at: .accessToken).fault == nil else { continue }
                Issue.record("taken for clear text: \(text)")
            }
        }
    }

    @Test func inClearASecretStaysAsItIs() throws {
        let columns = ClearColumns()
        #expect(try columns.seal(Secret("token"), at: .accessToken) == "token")
        #expect(columns.sealingKeyID == nil)
        #expect(!columns.wantsSealing(.clear(Secret("token"))))
    }

    @Test func whatWouldNotBeReadBackIsNotWritten() {
        #expect(throws: SealingFailure.looksSealed) {
            try ClearColumns().seal(Secret(RailsVector.all[0].stored), at: .accessToken)
        }
    }

    private func format(of text: String) -> SealFormat? {
        var text = text
        return text.withUTF8 { SealFormat(of: $0) }
    }
}
