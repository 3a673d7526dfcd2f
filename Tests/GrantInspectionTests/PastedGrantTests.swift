// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

@Suite struct PastedGrantTests {
    private static let token = InventedToken().text

    private func codes(_ pasted: PastedGrant) -> [FindingCode] { pasted.findings.map(\.code) }

    @Test(
        "What was copied along is taken off, and said",
        arguments: [
            (token, []),
            (" \(token)\n", [.trimmedSpace]),
            ("\u{FEFF}\u{A0}\(token)\r\n\u{200B}", [.trimmedSpace]),
            ("\"\(token)\"", [.trimmedQuotes]), ("'\(token)'", [.trimmedQuotes]), ("`\(token)`", [.trimmedQuotes]),
            ("“\(token)”", [.trimmedQuotes]), ("„\(token)“", [.trimmedQuotes]),
            (" \" \(token) \" ", [.trimmedSpace, .trimmedQuotes]),
            ("Bearer \(token)", [.trimmedBearer]),
            ("bearer\t\(token)", [.trimmedBearer]),
            ("\"Bearer \(token)\"", [.trimmedQuotes, .trimmedBearer]),
            ("refresh_token=\(token)", [.trimmedName]),
            ("TASTYTRADE_REFRESH_TOKEN='\(token)'", [.trimmedName, .trimmedQuotes]),
            ("--refresh-token=\(token)", [.trimmedName]), ("refreshToken: \(token)", [.trimmedName]),
            (#"  "refresh_token": "\#(token)","#, [.trimmedSpace, .trimmedName, .trimmedQuotes]),
            (#"{"refresh_token":"\#(token)"}"#, [.takenFromJSON]),
            (
                """
                {
                  "access_token": "a.b.c", "expires_in": 900, "more": [1, {"x": null}],
                  "refresh_token": "\(token)"
                }
                """, [.takenFromJSON]
            ),
            (#"'{"refresh_token":" \#(token)"}'"#, [.trimmedQuotes, .takenFromJSON, .trimmedSpace]),
        ] as [(String, [FindingCode])]
    )
    func whatIsAroundIsTakenOff(text: String, notes: [FindingCode]) {
        let pasted = PastedGrant(Secret(text))
        #expect(pasted.token == Secret(Self.token))
        #expect(codes(pasted) == notes)
        #expect(pasted.findings.worst == (notes.isEmpty ? nil : .note))
    }

    @Test(
        "What cannot be a token is refused",
        arguments: [
            ("", .tokenEmpty), (" \n\t\u{200B}", .tokenEmpty), ("\"\"", .tokenEmpty), ("refresh_token=", .tokenEmpty),
            (#"{"refresh_token":""}"#, .tokenEmpty),
            ("eyJh.b c.d", .tokenBroken), ("eyJh\n.b.c", .tokenBroken), ("eyJh\u{A0}b", .tokenBroken),
            ("eyJh\u{2028}b", .tokenBroken), ("my refresh token is eyJh.b.c", .tokenBroken),
            ("eyJh\u{0}b", .tokenHasControl), ("eyJh\u{1B}[0m", .tokenHasControl), ("eyJh\u{7F}b", .tokenHasControl),
            ("eyJhé", .tokenNotASCII), ("eyJh\u{200B}b", .tokenNotASCII), ("eyJh\u{301}b", .tokenNotASCII),
            ("\"\"eyJé\"\"", .tokenNotASCII), ("ey\u{202E}J", .tokenNotASCII),
            (String(repeating: "x", count: 16_385), .tokenTooLong),
            (String(repeating: " ", count: 65_537), .tokenTooLong),
            ("{}", .jsonUnclear), (#"{"access_token":"x"}"#, .jsonUnclear), (#"{"refresh_token":7}"#, .jsonUnclear),
            (#"{"refresh_token":"a","refresh_token":"b"}"#, .jsonUnclear), (#"{"refresh_token":"a""#, .jsonUnclear),
            (#"{"data":{"refresh_token":"a"}}"#, .jsonUnclear), ("{refresh_token: 'x'}", .jsonUnclear),
            (#"{"refresh_token":"a"} and more"#, .jsonUnclear), (#"{"refresh_token":"\ud800"}"#, .jsonUnclear),
        ] as [(String, FindingCode)]
    )
    func whatCannotBeATokenIsRefused(text: String, code: FindingCode) {
        let pasted = PastedGrant(Secret(text))
        #expect(pasted.token == nil)
        #expect(pasted.findings.filter { $0.severity == .fault }.map(\.code) == [code])
    }

    @Test func escapesInJSONAreRead() {
        #expect(PastedGrant(Secret(#"{"refresh_token":"\u0065yJx\/"}"#)).token == Secret("eyJx/"))
    }

    @Test func theLongestTokenPasses() {
        let longest = Secret(String(repeating: "x", count: PastedGrant.tokenLimit))
        #expect(PastedGrant(longest).token == longest)
    }

    @Test func onePairOfQuotesIsTakenOffAndNoMore() {
        #expect(PastedGrant(Secret("''x''")).token == Secret("'x'"))
        #expect(PastedGrant(Secret("\"x'")).token == Secret("\"x'"))
        #expect(PastedGrant(Secret("refresh_token=refresh_token=x")).token == Secret("refresh_token=x"))
    }

    @Test func anotherNameIsNotTakenOff() {
        for text in ["access_token=x", "a=b", "no_refresh_token_at_all=x", "token:x", "refresh token=x="] {
            #expect(!codes(PastedGrant(Secret(text))).contains(.trimmedName))
        }
    }

    @Test func whatWasTakenOffStandsBehindWhatIsWrong() {
        let access = InventedToken().with { $0.type = "at+jwt" }
        let found = PastedGrant(Secret("Bearer \(access.text)"))
            .findings(for: .ours, wanting: ["read"], at: Moment.newYear.wall)
        #expect(found.map(\.code) == [.accessTokenPasted, .trimmedBearer])
        let refused = PastedGrant(Secret(" a b")).findings(for: .ours, wanting: [], at: Moment.newYear.wall)
        #expect(refused.map(\.code) == [.tokenBroken, .trimmedSpace])
    }

    @Test func aSoundTokenHasNothingToBeSaidOf() {
        let pasted = PastedGrant(InventedToken().secret)
        #expect(pasted.findings(for: .ours, wanting: ["read", "trade", "openid"], at: Moment.newYear.wall).isEmpty)
    }
}
