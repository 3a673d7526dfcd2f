// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TestSupport
import Testing
import TokenCore

@testable import TokenDaemon

/// What `check` says of slips that can be known beforehand (fact sheet section 13).
@Suite struct SlipVerdictTests {
    private static let clientID = "5d1b0a8e-3c47-4f1e-9a56-0e7b2f9c4d21"

    private func configuration(_ more: [String: String]) throws -> Configuration {
        let own = [
            "TASTYTRADE_ENV": "sandbox", "TASTYTRADE_CLIENT_ID": Self.clientID,
            "TASTYTRADE_CLIENT_SECRET": "0123456789abcdef0123456789abcdef01234567",
        ]
        var fixture = ConfigurationFixture()
        fixture.environment = own.merging(more) { $1 }
        return try fixture.load().configuration
    }

    @Test func aSoundClientIsOneLine() throws {
        let verdicts = ClientCheck(try configuration([:])).verdicts()
        #expect(verdicts.map(\.grade) == [.ok])
        #expect(verdicts[0].text.contains(Self.clientID) && !verdicts[0].text.contains("0123456789abcdef"))
    }

    @Test(arguments: [
        (
            ["TASTYTRADE_CLIENT_ID": "0123456789abcdef0123456789abcdef01234567"], Verdict.Grade.warn,
            "form of a client secret"
        ),
        (["TASTYTRADE_CLIENT_SECRET": SlipVerdictTests.clientID], .fail, "are the same"),
        (["TASTYTRADE_CLIENT_SECRET": "c0ffee00-1111-4222-8333-444455556666"], .warn, "form of a client id"),
        (["TASTYTRADE_SCOPES": "readonly"], .warn, "readonly"),
        (["TASTYTRADE_CLIENT_SECRET": "'0123456789abcdef0123456789abcdef01234567'"], .fail, "quot"),
    ])
    func slipsOfTheClientAreNamed(_ settings: [String: String], _ grade: Verdict.Grade, _ words: String) throws {
        let verdicts = ClientCheck(try configuration(settings)).verdicts()
        #expect(verdicts.contains { $0.grade == grade && $0.text.contains(words) && $0.remedy != nil }, "\(verdicts)")
    }

    @Test func whatIsOnlyWorthKnowingIsSaidToo() throws {
        let verdicts = ClientCheck(try configuration(["TASTYTRADE_CLIENT_SECRET": "wrong"])).verdicts()
        #expect(verdicts.map(\.grade) == [.ok] && verdicts[0].text.contains("40 hexadecimal digits"), "\(verdicts)")
    }

    @Test func theRedirectURIIsKeptToTheLetter() throws {
        let slash = "http://localhost:3000/tastytrade/oauth/callback/"
        #expect(try configuration(["TASTYTRADE_REDIRECT_URI": slash]).tastytrade.redirectURI == slash)
    }

    private func findings(_ codes: [FindingCode], _ token: String) -> [Finding] {
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: Self.clientID,
            clientSecret: Secret("s"),
            apiURL: TradeEnvironment.sandbox.defaultAPIURL
        )
        let found = TokenInspection(of: Secret(token), for: client, wanting: [], at: Moment.newYear.wall).findings
        return found.filter { codes.contains($0.code) }
    }

    @Test func whatIsWrongWithManyRowsIsOneLineWithTheFirstOfThem() {
        let wrong = findings([.notAJWT], "no-token-at-all")
        #expect(wrong.count == 1)
        let verdicts = GrantsCheck.verdicts(on: [(UserID("1"), []), (UserID("7"), wrong), (UserID("8"), wrong)])
        #expect(verdicts.count == 1 && verdicts[0].grade == .warn)
        #expect(verdicts[0].text.hasPrefix("2 of 3 refresh tokens looked at, that of user 7 the first: "))
        #expect(verdicts[0].remedy == wrong.first?.remedy && !verdicts[0].description.contains("no-token-at-all"))
    }

    @Test func whereNothingIsUnusualThatIsSaid() {
        #expect(GrantsCheck.verdicts(on: []).map(\.grade) == [.ok])
        #expect(
            GrantsCheck.verdicts(on: [(UserID("1"), [])]).map(\.text) == [
                "1 refresh token looked at, nothing unusual in them"
            ]
        )
    }
}
