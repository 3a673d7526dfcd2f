// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `metrics.listen` of the daemon as it was built, as a scraper and as a browser meet it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MetricsListenTests {
    private func curl(_ installation: Installation, _ arguments: String...) async throws -> String {
        let end = try await RunningProgram.run(
            "/usr/bin/curl",
            ["-s", "-m", "20", "--noproxy", "*"] + arguments,
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        )
        return end.output
    }

    private func status(_ installation: Installation, _ arguments: String...) async throws -> String {
        var all = ["-s", "-m", "20", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"]
        all += arguments
        return try await RunningProgram.run(
            "/usr/bin/curl",
            all,
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        ).output
    }

    /// Where a daemon says that it serves them.
    private func address(_ daemon: RunningProgram) async throws -> String {
        let begin = "\"message\":\"metrics are served over TCP\",\"metrics.listen\":\""
        try await eventually("it listens; it said: \(daemon.errors)") { daemon.errors.contains(begin) }
        let said = daemon.errors
        let start = try #require(said.firstRange(of: begin)).upperBound
        return String(said[start...].prefix { $0 != "\"" })
    }

    private func families(_ text: String) -> Set<Substring> {
        Set(text.split(separator: "\n").filter { $0.hasPrefix("# ") })
    }

    @Test func theyAreTheSocketsAndTellOfNoSingleUser() async throws {
        try await Installation.with(accounts: 0, settings: ["METRICS_LISTEN": "localhost:0"]) { installation in
            let grant = try installation.simulator.makeGrant(for: "918273645")
            try await installation.postgres.execute(
                "INSERT INTO users (id, tastytrade_oauth_refresh_token) VALUES (918273645, '\(grant)')"
            )
            let daemon = try await installation.startReadyDaemon()
            let address = try await address(daemon)
            #expect(address.hasPrefix("127.0.0.1:") && !address.hasSuffix(":0"))
            let path = "/v1/users/918273645/token"
            #expect(try SocketProbe.get(path, at: installation.socket).status == 200)
            #expect(try await status(installation, "http://\(address)\(path)") == "404")
            // A request is counted once it is answered: each way's first answer shows the other's series.
            _ = try await curl(installation, "http://\(address)/metrics")
            let onSocket = try SocketProbe.get("/metrics", at: installation.socket).body
            let overTCP = try await curl(installation, "http://\(address)/metrics")
            #expect(families(overTCP) == families(onSocket) && families(overTCP).count > 20)
            #expect(!overTCP.contains("918273645"), "no label names a user")
            // The contract's own label, of a name that the configuration has.
            let named = overTCP.split(separator: "\n").filter { $0.contains("default") }
            #expect(named.map { $0.prefix { $0 != "{" } } == ["tastytokend_breaker_open"], "nor but that one a client")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func onlyThisMachinesOwnNamesAndOnePathAreServed() async throws {
        try await Installation.with(accounts: 1, settings: ["METRICS_LISTEN": "127.0.0.1:0"]) { installation in
            let daemon = try await installation.startReadyDaemon()
            let address = try await address(daemon)
            let port = try #require(address.split(separator: ":").last)
            let url = "http://\(address)/metrics"
            #expect(try await status(installation, url) == "200")
            #expect(try await status(installation, "http://localhost:\(port)/metrics") == "200")
            #expect(try await status(installation, "-H", "Host: evil.example:\(port)", url) == "403")
            #expect(try await status(installation, "-X", "POST", url) == "405")
            #expect(try await status(installation, "http://\(address)/v1/users/1/token") == "404")
            let reply = try await curl(installation, "-i", "-H", "Origin: http://evil.example", url)
            #expect(reply.contains("200 OK") && !reply.lowercased().contains("access-control-"))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test(arguments: ["0.0.0.0:9464", "metrics.example:9464"])
    func anAddressThatOthersReachEndsTheStart(listen: String) async throws {
        try await Installation.with(accounts: 0) { installation in
            let end = try await installation.startDaemon(["METRICS_LISTEN": listen]).end()
            #expect(end.status == 78)
            let line =
                "environment METRICS_LISTEN: metrics.listen: \"\(listen)\" is not on loopback: listen at 127.0.0.1"
            #expect(end.errors.contains(line), "\(end.errors)")
        }
    }

    @Test func aPortThatIsTakenIsOneWarningAndIsHadOnceItIsFree() async throws {
        try await Installation.with(accounts: 1, settings: ["METRICS_LISTEN": "127.0.0.1:0"]) { installation in
            let first = try await installation.startReadyDaemon()
            let address = try await address(first)
            let other = ["METRICS_LISTEN": address, "SOCKET_PATH": "\(installation.folder)/second.sock"]
            let second = try installation.startDaemon(other)
            try await eventually("the other is ready without") {
                (try? SocketProbe.get("/readyz", at: "\(installation.folder)/second.sock").status) == 200
            }
            let warning = "metrics cannot be served over TCP yet"
            try await eventually("it says so: \(second.errors)") { second.errors.contains(warning) }
            let beside = try await installation.tastytokend("check", ["METRICS_LISTEN": address])
            #expect(
                beside.status == 0 && beside.output.contains("ok    metrics: \(address): a daemon is running there")
            )
            #expect(try await installation.stop(first).status == 0)
            #expect(try await self.address(second) == address, "it is asked for again")
            #expect(second.errors.ranges(of: warning).count == 1 && second.errors.contains("Address already in use"))
            #expect(try await installation.stop(second).status == 0)
            let free = try await installation.tastytokend("check", ["METRICS_LISTEN": address])
            #expect(free.status == 0 && free.output.contains("ok    metrics: \(address) can be listened at"))
            let taken = try LoopbackSocket.full(
                at: "127.0.0.1",
                port: try #require(UInt16(address.split(separator: ":")[1]))
            )
            let check = try await installation.tastytokend("check", ["METRICS_LISTEN": address])
            #expect(check.status == 0 && check.output.contains("warn  metrics: \(address) is taken by another program"))
            withExtendedLifetime(taken) {}
        }
    }

    @Test func anotherAddressNeedsARestart() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(file: "metrics: {listen: \"127.0.0.1:0\"}\n")
            let address = try await address(daemon)
            let path = "\(installation.folder)/config.yaml"
            try "metrics: {listen: \"[::1]:0\"}\n".write(toFile: path, atomically: true, encoding: .utf8)
            daemon.signal(SIGHUP)
            try await eventually("it says so: \(daemon.errors)") {
                daemon.errors.contains("settings changed that need a restart")
            }
            #expect(daemon.errors.contains("\"configuration.changed\":\"metrics.listen\""))
            #expect(try await status(installation, "http://\(address)/metrics") == "200")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
