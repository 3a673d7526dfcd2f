// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import TestSupport
import Testing

@testable import TokenDaemon

/// `web.*` of the configuration, and what `check` says of it.
@Suite struct WebSettingsTests {
    private func settings(_ yaml: String) throws -> (web: Configuration.Web, warnings: [String]) {
        let loaded = try ConfigurationFixture(yaml).load()
        return (loaded.configuration.web, loaded.warnings.map(\.description))
    }

    @Test(arguments: [
        ("127.0.0.1:3001", "127.0.0.1:3001"), ("localhost:80", "127.0.0.1:80"), ("[::1]:3000", "[::1]:3000"),
        ("127.8.9.1:3000", "127.8.9.1:3000"),
    ])
    func thePagesAreServedOnLoopback(written: String, meant: String) throws {
        let (web, warnings) = try settings("web: {listen: \"\(written)\"}")
        #expect("\(web.listen)" == meant && web.listen.isLoopback && warnings.isEmpty)
    }

    @Test(arguments: ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:3000"])
    func othersReachThemOnlyWhereThatIsSaid(listen: String) throws {
        #expect(ConfigurationFixture("web: {listen: \"\(listen)\"}").mistakes().count == 1)
        let behindProxy = try settings(
            "web: {listen: \"\(listen)\", allowRemote: true, publicUrl: https://tokens.example}"
        )
        #expect("\(behindProxy.web.listen)" == listen && behindProxy.warnings.isEmpty)
        #expect("\(behindProxy.web.publicURL)" == "https://tokens.example")
        let inClear = try settings("web: {listen: \"\(listen)\", allowRemote: true}")
        #expect(inClear.warnings.count == 1 && inClear.warnings[0].contains("web.listen: other hosts reach it"))
    }

    @Test func withoutPagesNobodyIsWarnedOfTheirAddress() throws {
        let (web, warnings) = try settings("web: {enabled: false, listen: \"0.0.0.0:3000\", allowRemote: true}")
        #expect(!web.isEnabled && warnings.isEmpty)
    }

    @Test(arguments: [
        ("http://LOCALHOST:3000/", "http://localhost:3000"), ("https://Tokens.Example", "https://tokens.example"),
        ("http://[::1]:3000", "http://[::1]:3000"), ("http://127.0.0.1", "http://127.0.0.1"),
    ])
    func theirAddressIsAnOrigin(written: String, meant: String) throws {
        #expect("\(try settings("web: {publicUrl: \"\(written)\"}").web.publicURL)" == meant)
    }

    @Test(
        arguments: [
            (.free, .ok, "can be listened at"), (.daemon, .ok, "is running there"),
            (.taken, .warn, "is taken by another program"), (.unusable("no such address"), .warn, "no such address"),
            (nil, .warn, "could not be looked at"),
        ] as [(LoopbackSite?, Verdict.Grade, String)]
    )
    func whatStandsAtTheirAddressHasItsVerdict(site: LoopbackSite?, grade: Verdict.Grade, words: String) throws {
        let verdict = WebCheck.verdict(on: site, try settings("{}").web)
        #expect(verdict.grade == grade && verdict.text.contains(words) && verdict.text.contains("127.0.0.1:3000"))
        #expect(grade == .ok || verdict.remedy != nil || site == nil)
    }

    @Test func aPortToWhichNoBrowserIsSentIsRemarkedOn() throws {
        let moved = WebCheck.verdict(on: .free, try settings("web: {listen: \"127.0.0.1:3001\"}").web)
        #expect(moved.grade == .warn && moved.text.contains("http://localhost:3000"))
        let proxied = "web: {listen: \"127.0.0.1:3001\", publicUrl: https://tokens.example}"
        #expect(WebCheck.verdict(on: .free, try settings(proxied).web).grade == .ok)
    }

    @Test(arguments: [
        ("http://localhost:3000/tastytrade/oauth/callback", nil),
        ("http://localhost:3000/tastytrade/oauth/callback/", Verdict.Grade.warn),
        ("http://127.0.0.1:3000/tastytrade/oauth/callback", .warn), ("http://localhost:3000/oauth/callback", .warn),
        ("https://app.example/tastytrade/oauth/callback", .ok),
    ])
    func aWayBackThatLeadsElsewhereIsRemarkedOn(_ redirectURI: String, _ grade: Verdict.Grade?) throws {
        let verdict = WebCheck.wayBack(to: redirectURI, try settings("{}").web)
        #expect(verdict?.grade == grade && verdict?.text.contains(redirectURI) ?? true)
        #expect((verdict?.remedy != nil) == (grade == .warn))
    }
}
