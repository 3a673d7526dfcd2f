// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import WebPages

@Suite struct WebOriginTests {
    @Test(arguments: [
        ("http://localhost:3000", "http://localhost:3000", "localhost:3000"),
        ("HTTP://LocalHost:3000/", "http://localhost:3000", "localhost:3000"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("https://tokens.example:443", "https://tokens.example", "tokens.example"),
        ("https://tokens.example:80", "https://tokens.example:80", "tokens.example:80"),
        ("http://[::1]:3000", "http://[::1]:3000", "[::1]:3000"),
        ("http://[::1]", "http://[::1]", "[::1]"),
    ])
    func isWrittenAsBrowsersWriteIt(text: String, origin: String, authority: String) throws {
        let read = try WebOrigin(text)
        #expect(read.description == origin)
        #expect(read.authority == authority)
    }

    @Test(arguments: [
        ("https://my.tastytrade.com/auth.html", "https://my.tastytrade.com"), ("http://a:81?b", "http://a:81"),
        ("https://a#/b", "https://a"), ("https://a:443", "https://a"),
    ])
    func isWhatAPagesAddressBeginsWith(page: String, origin: String) throws {
        #expect(try WebOrigin(ofPage: page).description == origin)
    }

    @Test(arguments: ["", "a/b", "javascript:x", "https:///x", "https://a b/", "https://a;b/", "https://me@a/"])
    func whatIsNoPagesAddressHasNone(page: String) {
        #expect(throws: WebOriginFlaw.self) { try WebOrigin(ofPage: page) }
    }

    @Test(arguments: [
        ("http://localhost:3000", "localhost", 3000), ("http://localhost", "localhost", 80),
        ("https://tokens.example", "tokens.example", 443), ("https://[::1]:8443", "::1", 8443),
        ("http://[::1]", "::1", 80),
    ])
    func hasAHostAndAPort(text: String, host: String, port: Int) throws {
        let read = try WebOrigin(text)
        #expect(read.host == host && read.port == port)
    }

    @Test(arguments: [
        ("localhost:3000", WebOriginFlaw.noScheme), ("ftp://localhost", .noScheme), ("", .noScheme),
        ("http://localhost:3000/pages", .moreThanOrigin), ("http://localhost//", .moreThanOrigin),
        ("http://me@localhost", .moreThanOrigin), ("http://localhost?x", .moreThanOrigin),
        ("http://", .noHost), ("http://bücher.example", .noHost), ("http://a b", .noHost), ("http://[::1", .noHost),
        ("http://localhost:", .noPort), ("http://localhost:0", .noPort), ("http://localhost:65536", .noPort),
        ("http://localhost:+1", .noPort), ("http://[::1]x", .noPort),
    ])
    func whatIsNoOriginIsRefused(text: String, flaw: WebOriginFlaw) {
        #expect(throws: flaw) { try WebOrigin(text) }
    }
}
