// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation
import NIOCore
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The server on real Unix sockets.
@Suite struct SocketServerTests {
    private let plain = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"
    /// As long as a caller may wait, so that what ends the wait is what the test does.
    private let patient = "GET /v1/users/42/token?max_wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test func tokensAreAnsweredOnOneConnectionAgainAndAgain() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let client = try await fixture.connect()
            for _ in 1...3 {
                let reply = try await client.get("/v1/users/42/token")
                #expect(reply.status == 200)
                #expect(reply[json: "access_token"] == "token")
            }
            try await client.send(String(repeating: plain, count: 50))
            for _ in 1...50 { #expect(try await client.reply().status == 200) }
        }
    }

    @Test func aConnectionThatNeededMoreComesBackToTheShortWay() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let client = try await fixture.connect()
            for _ in 1...2 {
                #expect(try await client.get("/v1/users/nobody/token").status == 404)
                #expect(await fixture.server.connectionsOnGeneralWay == 1)
                for _ in 1...16 { #expect(try await client.get("/v1/users/42/token").status == 200) }
                await fixture.server.comeRound()
                #expect(await fixture.server.connectionsOnGeneralWay == 0)
                for _ in 1...16 { #expect(try await client.get("/v1/users/42/token").status == 200) }
                #expect(await fixture.server.connections == 1)
            }
            try await client.close()
        }
    }

    @Test func bytesMayComeOneByOne() async throws {
        var limits = SocketLimits()
        limits.request = .seconds(120)
        try await SocketFixture.with(limits: limits) { fixture in
            fixture.publish()
            let client = try await fixture.connect()
            for byte in plain.utf8 { try await client.send(String(UnicodeScalar(byte))) }
            #expect(try await client.reply().status == 200)
        }
    }

    @Test func curlGetsATokenAndAProblem() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let curl = ["curl", "-sS", "--max-time", "10", "--unix-socket", fixture.path]
            let token = try await Program.run(curl + ["-i", "http://localhost/v1/users/42/token"])
            #expect(token.status == 0, "\(token.errors)")
            #expect(try RawReply(token.output)[json: "expires_in"] == "600")
            let text = try await Program.run(curl + ["-H", "Accept: text/plain", "http://localhost/v1/users/42/token"])
            #expect(text.output == "token")
            let none = try await Program.run(curl + ["-f", "http://localhost/v1/users/43/token"])
            #expect(none.status == 22)
            let head = try await Program.run(curl + ["-I", "http://localhost/v1/users/42/token"])
            #expect(head.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func theKernelSaysWhoAsks() async throws {
        try #require(geteuid() == 0, "run as root, so that another user can be taken on")
        try await SocketFixture.with(mode: 0o666) { fixture in
            fixture.publish()
            let path = fixture.path
            func status(_ target: String, as prefix: [String] = []) async throws -> String {
                let curl = ["curl", "-s", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}"]
                return try await Program.run(prefix + curl + ["--unix-socket", path, "http://x" + target]).output
            }
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let ours = try await status("/v1/users/42/token")
            #expect(ours == "200")
            for target in ["/v1/users/42/token", "/v1/users/43/token", "/v1/users/42", "/nothing"] {
                #expect(try await status(target, as: nobody) == "403", "\(target)")
            }
            #expect(try await status("/healthz", as: nobody) == "200")
        }
    }

    @Test func statusIsWhatTheEngineReports() async throws {
        try await SocketFixture.with { fixture in
            let client = try await fixture.connect()
            fixture.board.setReady(false)
            let early = try await client.get("/v1/users/42")
            #expect(early.status == 503)
            #expect(early.code == "token_unavailable")
            fixture.board.setReady(true)
            #expect(try await client.get("/v1/users/42").code == "unknown_user")
            fixture.board.report(
                GrantReport(
                    user: UserID("42"),
                    status: .reauthorizationRequired,
                    environment: .sandbox,
                    client: "default",
                    expiresAt: WallTime(microseconds: 1_767_225_600_250_000),
                    lastRefreshedAt: nil,
                    nextRefreshAt: nil,
                    consecutiveFailures: 2,
                    lastError: "said \"no\""
                )
            )
            let reply = try await client.get("/v1/users/42")
            #expect(reply.fields["content-type"] == "application/json")
            #expect(
                reply.body == """
                    {"user":"42","status":"reauthorization_required","environment":"sandbox","client":"default",\
                    "expires_at":"2026-01-01T00:00:00.250000Z","last_refreshed_at":null,"next_refresh_at":null,\
                    "consecutive_failures":2,"last_error":"said \\"no\\""}
                    """
            )
        }
    }

    @Test func manyWaitersAreWokenByOneChange() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(nil, .underWay, for: UserID("42"))
            var clients: [RawClient] = []
            for _ in 1...20 {
                clients.append(try await fixture.connect())
                try await clients[clients.count - 1].send(patient)
            }
            await fixture.board.when { $0.waiters == 20 }
            fixture.publish()
            for client in clients { #expect(try await client.reply().status == 200) }
            #expect(fixture.board.snapshot.waiters == 0)
        }
    }

    @Test func aClientThatVanishesWhileWaitingIsForgotten() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(nil, .underWay, for: UserID("42"))
            let client = try await fixture.connect()
            try await client.send(patient)
            await fixture.board.when { $0.waiters == 1 }
            try await client.close()
            await fixture.board.when { $0.waiters == 0 }
        }
    }

    @Test func aClientThatEndedItsDirectionIsAnsweredAndThenLeft() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(nil, .underWay, for: UserID("42"))
            let client = try await fixture.connect()
            try await client.send(patient)
            try await client.endOutput()
            await fixture.board.when { $0.waiters == 1 }
            fixture.publish()
            let text = try await client.rest()
            #expect(try RawReply(text).status == 200)
        }
    }
}

extension SocketServerTests {
    @Test func tooManyConnectionsAreToldSoAndOneThatEndsMakesRoom() async throws {
        var limits = SocketLimits()
        limits.connectionsPerUser = 2
        try await SocketFixture.with(limits: limits) { fixture in
            fixture.publish()
            let first = try await fixture.connect()
            #expect(try await first.get("/healthz").status == 200)
            let second = try await fixture.connect()
            #expect(try await second.get("/healthz").status == 200)
            let refusal = try RawReply(try await fixture.connect().rest())
            #expect(refusal.status == 503)
            #expect(refusal.code == "overloaded")
            #expect(refusal.fields["retry-after"] == "1")
            try await first.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try RawReply(try await first.rest()).status == 200)
            await fixture.server.comeRound()
            let third = try await fixture.connect()
            #expect(try await third.get("/v1/users/42/token").status == 200)
        }
    }

    @Test func h22ACallerWhoNeverReadsHoldsUpNobodyElse() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish(text: String(repeating: "x", count: 4000))
            let deaf = try DeafClient(fixture.path)
            defer { deaf.end() }
            // Far more requests than the daemon will hold answers for: at some point it takes no more.
            #expect(deaf.pour(plain, atMost: 1 << 24) < 1 << 24)
            let other = try await fixture.connect()
            #expect(try await other.get("/v1/users/42/token").status == 200)
        }
    }

    @Test func stoppingLetsRequestsInFlightEndAndRemovesTheFile() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(nil, .underWay, for: UserID("42"))
            let idle = try await fixture.connect()
            #expect(try await idle.get("/healthz").status == 200)
            let busy = try await fixture.connect()
            try await busy.send(patient)
            await fixture.board.when { $0.waiters == 1 }
            async let stopped: Void = fixture.server.stop(within: .seconds(30))
            #expect(try await idle.rest() == "")
            #expect(!FileManager.default.fileExists(atPath: fixture.path))
            await #expect(throws: (any Error).self) { _ = try await fixture.connect() }
            fixture.publish()
            let reply = try RawReply(try await busy.rest())
            #expect(reply.status == 200)
            #expect(reply.fields["connection"] == "close")
            await stopped
        }
    }

    @Test func whoStillWaitsAtTheDeadlineOfAStopIsAnswered() async throws {
        try await SocketFixture.with { fixture in
            fixture.board.publish(nil, .underWay, for: UserID("42"))
            let busy = try await fixture.connect()
            try await busy.send(patient)
            await fixture.board.when { $0.waiters == 1 }
            await fixture.server.stop(within: .milliseconds(10))
            let reply = try RawReply(try await busy.rest())
            #expect(reply.status == 504)
            #expect(reply.fields["connection"] == "close")
            #expect(fixture.board.snapshot.waiters == 0)
        }
    }

    @Test func aServerStartsOnce() async throws {
        try await SocketFixture.with { fixture in
            await #expect(throws: SocketServerError.alreadyStarted) {
                try await fixture.server.start(at: .path(fixture.folder + "/other", mode: 0o600, group: nil))
            }
        }
    }
}

/// A blocking client that writes and never reads.
private struct DeafClient {
    private let descriptor: Int32

    init(_ path: String) throws {
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        self.descriptor = descriptor
        let result = try UnixAddress(path).withPointer { connect(descriptor, $0, $1) }
        try #require(result == 0)
    }

    /// Writes until nobody takes any for half a second, or so much is taken; gives how much that was.
    func pour(_ text: String, atMost limit: Int) -> Int {
        let bytes = Array(String(repeating: text, count: 100).utf8)
        var taken = 0
        while taken < limit {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, 500) == 1 else { break }
            let sent = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if sent > 0 { taken += sent }
        }
        return taken
    }

    func end() {
        close(descriptor)
    }
}
