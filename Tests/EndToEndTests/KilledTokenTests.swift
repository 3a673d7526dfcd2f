// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H16 with the built daemon: the provider does away with an access token as soon as it has made the next one.
@Suite(.timeLimit(.minutes(5))) struct KilledTokenTests {
    /// What the provider's own route says to a token, asked as any program would.
    private func accounts(_ token: String, _ installation: Installation) async throws -> String {
        let curl = try await RunningProgram.run(
            "/usr/bin/curl",
            [
                "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "\(installation.folder)/authority.pem",
                "-A", "test/1", "-H", "Authorization: Bearer \(token)",
                "\(installation.simulator.url)/customers/me/accounts",
            ],
            in: installation.folder
        )
        #expect(curl.status == 0, "\(curl.errors)")
        return curl.output
    }

    private func token(_ installation: Installation) throws -> String? {
        try SocketProbe.get("/v1/users/1/token?min_ttl=0&max_wait=0", at: installation.socket).member("access_token")
    }

    /// Orders a refresh, and waits until the subscriber was told and has asked.
    private func refresh(_ subscriber: EventSubscriber, at socket: String) async throws {
        let before = subscriber.told.count
        try await eventually("an order is taken") {
            try SocketProbe.orderRefresh(of: 1, at: socket).status != 429
        }
        try await eventually("the subscriber is told: \(subscriber.trouble)") { subscriber.told.count > before }
    }

    /// Each time that he was told there was another token, and it worked. Nobody who asked after that was given an older one:
    /// the time in which a dead one is served ends with the push at the latest.
    private func expectNoneOlder(_ subscriber: EventSubscriber, refreshes: Int) async throws {
        let polled = try await subscriber.endPolling()
        let told = subscriber.told
        #expect(subscriber.trouble.isEmpty, "\(subscriber.trouble.prefix(3))")
        #expect(told.count == refreshes && Set(told.map(\.etag)).count == refreshes, "\(told.map(\.etag))")
        #expect(told.allSatisfy { $0.works }, "what the push leads to works")
        #expect(polled.count > refreshes)
        for (number, given) in told.enumerated() {
            let later = told[number...].map(\.etag)
            let stale = polled.filter { $0.askedAt >= given.askedAt && !later.contains($0.etag) }
            #expect(stale.isEmpty, "\(stale.count) were given a token that was older than the one told of")
        }
        // Each is known by its validator: nobody was given two tokens under one, or one under two.
        #expect(Set(polled.map(\.etag)).subtracting(told.map(\.etag)).count <= 1, "the one before the first refresh")
    }

    @Test func h16WhoFollowsIsToldAtOnceAndGivenATokenThatWorks() async throws {
        try await Installation.with(accounts: 1) { installation in
            installation.simulator.set(Fault(.killsPrevious))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("there is a token") { try token(installation) != nil }
            let first = try SocketProbe.get("/v1/users/1/token", at: installation.socket)
            let etag = try #require(first.etag)
            let subscriber = EventSubscriber(of: 1, at: installation.socket, installation.simulator)
            try await eventually("the stream begins: \(subscriber.trouble)") { subscriber.isSubscribed }
            // And one who waits for whatever comes after the token that he has.
            let socket = installation.socket
            async let waited = onThread {
                var probe = try SocketProbe(at: socket)
                let asked = "Host: localhost\r\nIf-None-Match: \(etag)\r\nPrefer: wait=60\r\n\r\n"
                return try probe.exchange("GET /v1/users/1/token HTTP/1.1\r\n\(asked)")
            }
            let refreshes = 3
            for _ in 0..<refreshes { try await refresh(subscriber, at: installation.socket) }
            let next = try await waited
            #expect(next.status == 200 && next.etag == subscriber.told.first?.etag)
            try await expectNoneOlder(subscriber, refreshes: refreshes)
            #expect(installation.simulator.counts.made == 1 + refreshes)
            let (old, new) = (try #require(first.member("access_token")), try #require(try token(installation)))
            #expect(try await accounts(old, installation) == "401", "the provider did away with it")
            #expect(try await accounts(new, installation) == "200")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h16ADatabaseThatIsWaitedForKeepsNobodyAtADeadToken() async throws {
        try await Installation.with(accounts: 1) { installation in
            let postgres = installation.postgres
            installation.simulator.set(Fault(.killsPrevious))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("the row holds what is served") {
                guard let token = try token(installation) else { return false }
                return try await postgres.query("SELECT tastytrade_oauth_token FROM users") == token
            }
            let subscriber = EventSubscriber(of: 1, at: installation.socket, installation.simulator)
            try await eventually("the stream begins: \(subscriber.trouble)") { subscriber.isSubscribed }
            let holder = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            async let held: Void = postgres.execute("BEGIN; SELECT FROM users FOR UPDATE; SELECT pg_sleep(600)")
            try await eventually("the row is locked") { try await postgres.query("SELECT count(*) \(holder)") == "1" }
            try await refresh(subscriber, at: installation.socket)
            #expect(try await postgres.query("SELECT count(*) \(holder)") == "1", "it is locked yet")
            let served = try #require(try token(installation))
            #expect(try await postgres.query("SELECT tastytrade_oauth_token FROM users") != served)
            try await expectNoneOlder(subscriber, refreshes: 1)
            _ = try await postgres.query("SELECT pg_terminate_backend(pid) \(holder)")
            try? await held
            try await eventually("it is written down afterwards") {
                try await postgres.query("SELECT tastytrade_oauth_token FROM users") == served
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h16TheOtherDaemonServesTheNewOneByTheNews() async throws {
        // No pass finds it: only what the other daemon tells.
        let settings = ["DATABASE_RECONCILE_EVERY": "1h"]
        try await Installation.with(accounts: 1, lifetime: .seconds(3600), settings: settings) { installation in
            installation.simulator.set(Fault(.killsPrevious))
            let pair = DaemonPair(installation: installation)
            let (a, b, _) = try await pair.startBoth()
            let made = installation.simulator.counts.made
            let subscriber = EventSubscriber(of: 1, at: pair.socket(of: "b"), installation.simulator)
            try await eventually("the stream begins: \(subscriber.trouble)") { subscriber.isSubscribed }
            let refreshes = 3
            for _ in 0..<refreshes { try await refresh(subscriber, at: pair.socket(of: "a")) }
            try await expectNoneOlder(subscriber, refreshes: refreshes)
            #expect(installation.simulator.counts.made == made + refreshes, "it made no call of its own")
            let (mine, theirs) = (try pair.tokens("a", of: 1...1), try pair.tokens("b", of: 1...1))
            #expect(mine == theirs)
            for daemon in [a, b] { #expect(try await installation.stop(daemon).status == 0) }
        }
    }
}
