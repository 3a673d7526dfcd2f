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
        ("https://app.example/cb/", "the slash at the end"), ("http://app.example/cb", "http or https"),
        ("https://app.example:8443/cb", "port"), ("https://www.app.example/cb", "host"),
        ("https://app.example/callback", "path"), ("https://app.example/cb?x=1", "query"),
        ("https://APP.example/cb", "capital and small letters"),
        ("http://app.example:80/cb/", "http or https, port, the slash at the end"),
    ])
    func whereItDiffersFromTheRegisteredOneIsSaid(text: String, difference: String) throws {
        let registered = ["http://localhost:3000/tastytrade/oauth/callback", "https://app.example/cb"]
        let found = RedirectInspection(of: text, registered: registered).findings
        let finding = try #require(found.first { $0.code == .redirectNotRegistered })
        #expect(finding.problem.hasSuffix("from the nearest it differs in: \(difference)."))
    }

    @Test func theSameMachineHasSeveralNames() {
        let found = RedirectInspection(of: "http://127.0.0.1:3000/cb", registered: ["http://localhost:3000/cb"])
            .findings
        #expect(found.map(\.code) == [.redirectNotRegistered, .redirectLoopback])
        #expect(found.first?.problem.hasSuffix("differs in: host.") == true)
    }

    @Test func whatIsRegisteredSoIsNotUnusual() {
        for text in ["https://app.example/", "https://app.example/cb/", "http://localhost/cb"] {
            #expect(RedirectInspection(of: text, registered: ["https://h/x", text]).findings.isEmpty)
        }
        let inClear = RedirectInspection(of: "http://h/cb", registered: ["http://h/cb"]).findings
        #expect(inClear.map(\.code) == [.redirectInClear])
    }

    @Test func registeredOnesThatAreNoAddressesAreNoReference() {
        let found = RedirectInspection(of: "https://h/cb", registered: ["x"]).findings
        #expect(found.first?.problem == "The redirect address is not a registered one.")
    }
}
