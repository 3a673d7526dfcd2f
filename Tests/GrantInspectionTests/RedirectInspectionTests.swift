// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import GrantInspection

@Suite struct RedirectInspectionTests {
    @Test(
        arguments: [
            ("https://app.example/tastytrade/oauth/callback", []), ("https://app.example:8443/cb?x=1", []),
            ("http://localhost:3000/tastytrade/oauth/callback", [.redirectLoopback]),
            ("http://127.0.0.1:3000/cb", [.redirectLoopback]), ("http://[::1]:3000/cb", [.redirectLoopback]),
            ("http://127.9.9.9/cb", [.redirectLoopback]), ("https://LOCALHOST/cb", [.redirectLoopback]),
            ("http://app.example/cb", [.redirectInClear]), ("http://127.0.0.1.example/cb", [.redirectInClear]),
            ("http://localhost.example/cb", [.redirectInClear]), ("http://192.168.0.7/cb", [.redirectInClear]),
            ("https://app.example", [.redirectWithoutPath]), ("https://app.example/", [.redirectWithoutPath]),
            ("https://app.example/cb/", [.redirectEndsWithSlash]),
            ("https://app.example/cb#", [.redirectHasFragment]), ("https://app.example/cb#x", [.redirectHasFragment]),
            ("http://app.example#x", [.redirectHasFragment, .redirectInClear, .redirectWithoutPath]),
            ("", [.redirectNoAddress]), ("app.example/cb", [.redirectNoAddress]), ("/cb", [.redirectNoAddress]),
            ("//app.example/cb", [.redirectNoAddress]), ("https:///cb", [.redirectNoAddress]),
            ("ftp://app.example/cb", [.redirectNoAddress]), ("urn:ietf:wg:oauth:2.0:oob", [.redirectNoAddress]),
            (" https://app.example/cb", [.redirectNoAddress]), ("\"https://app.example/cb\"", [.redirectNoAddress]),
            ("https://app.example/c b", [.redirectNoAddress]), ("https://app.example/cb\n", [.redirectNoAddress]),
        ] as [(String, [FindingCode])]
    )
    func whatIsUsuallyWrongIsTold(text: String, codes: [FindingCode]) {
        #expect(RedirectInspection(of: text).findings.map(\.code) == codes)
    }

    @Test(arguments: [
        ("https://app.example/cb/", "ends with a slash"), ("http://app.example/cb", "is http:// on another machine"),
        ("http://localhost:3000/cb", "localhost, 127.0.0.1 and [::1] are three addresses"),
        ("https://app.example", "has no path"), ("https://app.example/cb#x", "has a fragment"),
    ])
    func eachIsToldInItsWords(text: String, words: String) throws {
        let finding = try #require(RedirectInspection(of: text).findings.first)
        #expect(finding.problem.hasPrefix("The redirect URI ") && finding.problem.contains(words))
    }
}
