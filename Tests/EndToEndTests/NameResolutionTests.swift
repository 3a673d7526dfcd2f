// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Hard case H17 with the system's own resolver: the endpoint's host is `localhost`, and what that means is changed.
@Suite(
    .serialized,
    .timeLimit(.minutes(3)),
    .enabled(if: NameService.isAvailable, "another name service for one process takes root and mount namespaces")
)
struct NameResolutionTests {
    private static let lifetime = Duration.seconds(8)

    private func url(_ installation: Installation) -> [String: String] {
        ["TASTYTRADE_API_URL": "https://localhost:\(installation.simulator.port)"]
    }

    private func with(
        _ settings: [String: String] = [:],
        _ body: (Installation) async throws -> Void
    ) async throws {
        try await Installation.with(accounts: 3, lifetime: Self.lifetime, settings: settings, body)
    }

    private func everybodyIsServed(_ installation: Installation, by daemon: RunningProgram) async throws {
        try await eventually("everybody has a token; it said: \(daemon.errors)") {
            (1...3).allSatisfy { user in
                let path = "/v1/users/\(user)/token?max_wait=0&min_ttl=0"
                return (try? SocketProbe.get(path, at: installation.socket).status) == 200
            }
        }
    }

    private func failures(_ daemon: RunningProgram) -> [Substring] {
        daemon.errors.split(separator: "\n").filter { $0.contains("refresh.failed") }
    }

    @Test func anAddressThatRefusesIsPassedOver() async throws {
        try await with { installation in
            let names = try NameService(in: installation.folder, localhost: ["::1", "127.0.0.9", "127.0.0.1"])
            let daemon = try installation.startDaemon(url(installation), names: names)
            try await everybodyIsServed(installation, by: daemon)
            #expect(failures(daemon) == [])
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func anAddressThatIsSilentIsPassedOver() async throws {
        try await with { installation in
            let silent = try LoopbackSocket.full(at: "127.0.0.9", port: UInt16(installation.simulator.port))
            let names = try NameService(in: installation.folder, localhost: ["127.0.0.9", "127.0.0.1"])
            let daemon = try installation.startDaemon(url(installation), names: names)
            try await everybodyIsServed(installation, by: daemon)
            #expect(failures(daemon) == [])
            #expect(try await installation.stop(daemon).status == 0)
            withExtendedLifetime(silent) {}
        }
    }

    @Test func aChangedAddressIsFollowedWithoutARestart() async throws {
        try await with { installation in
            let names = try NameService(in: installation.folder, localhost: ["127.0.0.1"])
            var moved = SimulatorConfiguration(keySeed: "end-to-end", randomSeed: 2)
            (moved.host, moved.port, moved.lifetime) = ("127.0.0.2", installation.simulator.port, Self.lifetime)
            moved.client.secret = installation.secret
            let other = try await TokenSimulator.start(moved, clock: SimulatorInstant.systemNow)
            let daemon = try installation.startDaemon(url(installation), names: names)
            try await everybodyIsServed(installation, by: daemon)
            #expect(other.counts.requests == 0)
            // It has another authority too, which has the same name: the two are not trusted side by side.
            try #require(other.authorityPEM).write(
                toFile: "\(installation.folder)/authority.pem",
                atomically: true,
                encoding: .utf8
            )
            try names.setLocalhost(["127.0.0.2"])
            try await installation.simulator.goDown()
            try await eventually(
                "all ask the other one, not \(installation.simulator.counts), \(other.counts); it said: \(daemon.errors)"
            ) {
                (1...3).allSatisfy { other.counts(of: "\($0)").issued > 0 }
            }
            try await everybodyIsServed(installation, by: daemon)
            #expect(try await installation.stop(daemon).status == 0)
            try await other.stop()
        }
    }

    @Test func aResolverThatHangsHoldsUpNoLongerThanTheDeadline() async throws {
        let settings = ["REFRESH_CONNECT_TIMEOUT": "1s", "REFRESH_BACKOFF_MAX": "2s"]
        try await with(settings) { installation in
            let resolver = try LoopbackSocket.deaf(at: "127.77.0.1", port: 53)
            let names = try NameService(in: installation.folder, localhost: [], nameServer: "127.77.0.1")
            let daemon = try installation.startDaemon(url(installation), names: names)
            try await eventually("each has failed more than once") { failures(daemon).count >= 9 }
            for failure in failures(daemon) {
                let duration = failure.firstMatch(of: /"refresh\.duration_ms":"?(\d+)/).flatMap { Int($0.1) }
                // A second, and what a busy machine adds; the resolver itself would take ten.
                #expect(try #require(duration) < 4000, "\(failure)")
                #expect(!failure.contains("outcome"), "nothing was sent")
            }
            #expect(installation.simulator.counts.connections == 0)
            #expect(try SocketProbe.get("/healthz", at: installation.socket).status == 200)
            // It answers again, as it were; what still waits for it ends by itself.
            try names.setLocalhost(["127.0.0.1"])
            try await everybodyIsServed(installation, by: daemon)
            #expect(try await installation.stop(daemon).status == 0)
            withExtendedLifetime(resolver) {}
        }
    }
}
