// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import MetricsText
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import SocketServer

/// What somebody gets over TCP, whom nobody knows.
@Suite struct LoopbackTests {
    private let names: Set<String> = ["127.0.0.1:9464", "localhost:9464"]

    private func connection() throws -> EmbeddedConnection {
        try EmbeddedConnection(board: .withUsers(), calling: names)
    }

    private func request(_ method: String, _ target: String, host: String = "127.0.0.1:9464") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nOrigin: http://evil.example\r\n\r\n"
    }

    @Test(
        arguments: [
            "/v1/users/42/token", "/v1/users/42", "/v1/users", "/v1/status", "/healthz", "/readyz", "/", "/metrics/",
            "/v1/users/%/token", "http://127.0.0.1:9464/metrics", "http://evil.example/metrics", "*",
        ]
    )
    func nothingElseIsThereForAnybody(target: String) throws {
        for method in ["GET", "POST", "DELETE"] {
            let connection = try connection()
            let reply = try connection.ask(request(method, target))
            #expect(reply.status == 404 && reply.code == "not_found", "\(method) \(reply)")
            #expect(connection.metrics.text.contains("tastytokend_requests_total{code=\"404\",route=\"other\"} 1\n"))
        }
    }

    @Test(arguments: ["127.0.0.1:9464 ", " localhost:9464\t"]) func whiteSpaceAroundTheNameIsNoPartOfIt(
        host: String
    ) throws {
        #expect(try connection().ask(request("POST", "/metrics", host: host)).status == 405)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) func noOtherMethodIsTaken(method: String) throws {
        let reply = try connection().ask(request(method, "/metrics"))
        #expect(reply.status == 405 && reply.code == "method_not_allowed" && reply.fields["allow"] == "GET, HEAD")
    }

    @Test(
        arguments: [
            "evil.example", "evil.example:9464", "127.0.0.1", "localhost", "127.0.0.1:9465", "127.0.0.2:9464",
            "127.0.0.1:9464.evil.example", "[::1]:9464", "",
        ]
    )
    func aNameThatIsNotThisMachinesOwnIsRefused(host: String) throws {
        for target in ["/metrics", "/v1/users/42/token"] {
            let reply = try connection().ask(request("GET", target, host: host))
            #expect(reply.status == 403 && reply.code == "forbidden", "\(reply)")
            #expect(reply.body.contains("127.0.0.1:9464 or localhost:9464"))
        }
    }

    @Test func twoNamesOrNoneAreNoRequest() throws {
        let two = "GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\nHost: localhost:9464\r\n\r\n"
        #expect(try connection().ask(two).status == 400)
        #expect(try connection().ask("GET /metrics HTTP/1.1\r\n\r\n").status == 400)
    }

    @Test func addressesAreThisMachinesAlone() {
        for (host, words) in [("127.0.0.1", "127.0.0.1:1"), ("127.9.8.7", "127.9.8.7:1"), ("::1", "[::1]:1")] {
            #expect(LoopbackAddress(host: host, port: 1)?.description == words)
        }
        #expect(LoopbackAddress(host: "localhost", port: 0)?.description == "127.0.0.1:0")
        for host in ["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "127.1", "localhost.example", "ip6-localhost", ""] {
            #expect(LoopbackAddress(host: host, port: 1) == nil, "\(host)")
        }
        #expect(LoopbackAddress(host: "127.0.0.1", port: 65_536) == nil)
        #expect(LoopbackAddress(host: "::1", port: 9464)?.names == ["[::1]:9464", "localhost:9464"])
        #expect(LoopbackAddress(host: "127.0.0.1", port: 80)?.names.contains("localhost") == true)
    }

    @Test func whatStandsAtAnAddressIsSeenWithoutStayingThere() throws {
        let blocker = try ListeningPort()
        let address = try #require(LoopbackAddress(host: "127.0.0.1", port: blocker.port))
        // It never answers, so that the look has to end by itself.
        #expect(LoopbackSite.look(at: address, forMilliseconds: 50, clock: { .newYear }) == .taken)
        blocker.end()
        for _ in 1...2 { #expect(LoopbackSite.look(at: address, forMilliseconds: 50, clock: { .newYear }) == .free) }
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n# TYPE process_max_fds gauge\nprocess_max_fds 1024\n", 0, .taken),
            ("HTTP/1.1 200 OK\r\n\r\nx\n", 100_000, .daemon),
            ("HTTP/1.1 200 OK\r\n\r\nx\n", 2_000_000, .taken),
            ("HTTP/1.1 404 Not Found\r\n\r\nx\n", 10, .taken),
            ("SSH-2.0-x\r\n", 10, .taken),
        ] as [(String, Int, LoopbackSite)]
    )
    func aDaemonIsKnownByItsOwnSeriesWhereverTheyStand(begin: String, filling: Int, site: LoopbackSite) throws {
        let end = filling == 0 ? "" : String(repeating: "x", count: filling) + "\ntastytokend_build_info 1\n"
        let port = try ListeningPort(answering: begin + end)
        defer { port.end() }
        let address = try #require(LoopbackAddress(host: "127.0.0.1", port: port.port))
        #expect(LoopbackSite.look(at: address, forMilliseconds: 10_000, clock: { .newYear }) == site)
    }

    @Test func whoAnswersForLongerThanTheLookIsLeft() throws {
        let text = "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 500_000) + "\ntastytokend_build_info 1\n"
        for (step, site) in [(1, .daemon), (2_500, .taken)] as [(Int64, LoopbackSite)] {
            let port = try ListeningPort(answering: text)
            defer { port.end() }
            let address = try #require(LoopbackAddress(host: "127.0.0.1", port: port.port))
            let clock = StandingClock()
            let found = LoopbackSite.look(at: address, forMilliseconds: 10_000) {
                clock.advance(by: .milliseconds(step))
                return clock.now
            }
            #expect(found == site)
        }
    }
}
