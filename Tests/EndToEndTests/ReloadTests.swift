// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Foundation
import TestSupport
import Testing
import TokenSimulator

/// SIGHUP at the built daemon (product.md, Configuration).
@Suite(.serialized, .timeLimit(.minutes(5))) struct ReloadTests {
    private func records(_ daemon: RunningProgram) -> [[String: Any]] {
        daemon.errors.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }

    private func hangUp(_ daemon: RunningProgram, until message: String) async throws {
        let before = daemon.errors.ranges(of: message).count
        daemon.signal(SIGHUP)
        try await eventually("\(message); it said: \(daemon.errors)") {
            daemon.errors.ranges(of: message).count > before
        }
    }

    private func ask(as user: Int, in installation: Installation) async throws -> String {
        try await start(asking: "token", as: user, in: installation).end().output
    }

    /// Asks for what belongs to user 1; the output is the HTTP status.
    private func start(
        _ method: String = "GET",
        asking what: String,
        as user: Int,
        in installation: Installation
    ) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/setpriv",
            [
                "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "curl", "-s", "-m", "30", "-o", "/dev/null",
                "-w", "%{http_code}", "-X", method, "--unix-socket", installation.socket,
                "http://localhost/v1/users/1/\(what)",
            ],
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        )
    }

    @Test(.enabled(if: geteuid() == 0, "calling as other users takes root"))
    func aRightThatIsTakenAwayWhileARefreshIsWaitedForGivesNoToken() async throws {
        try await Installation.with(accounts: 1) { installation in
            // Had a while ago, as far as the daemon can know, so that a refresh may be ordered.
            try await installation.postgres.execute(
                """
                UPDATE users SET tastytrade_oauth_token = 'live',
                tastytrade_oauth_expires_at = (now() AT TIME ZONE 'UTC') + interval '600 s'
                """
            )
            installation.simulator.set(Fault(.hold))
            let daemon = try await installation.startReadyDaemon(
                ["SOCKET_MODE": "0666"],
                file: "access: [{uid: 41001, users: '*', allow: [refresh]}]\n"
            )
            let caller = try start("POST", asking: "refresh", as: 41_001, in: installation)
            #expect(await installation.simulator.counts(within: .seconds(30)) { $0.inFlight == 1 } != nil)
            try installation.put(configuration: "access: []\n")
            try await hangUp(daemon, until: "configuration reloaded")
            installation.simulator.clearFaults()
            #expect(try await caller.end().output == "403")
            #expect(installation.simulator.counts.tokenRequests == 1)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "calling as other users takes root"))
    func rulesAndLevelChangeAndAMistakeChangesNothing() async throws {
        try await Installation.with(accounts: 1) { installation in
            let rule = { (uid: Int) in "access: [{uid: \(uid), users: \"*\", allow: [token]}]\n" }
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: rule(41_001))
            #expect(try await ask(as: 41_001, in: installation) == "200")
            #expect(try await ask(as: 41_002, in: installation) == "403")

            try installation.put(configuration: rule(41_002) + "log: {level: debug}\n")
            try await hangUp(daemon, until: "configuration reloaded")
            #expect(try await ask(as: 41_001, in: installation) == "403")
            #expect(try await ask(as: 41_002, in: installation) == "200")
            #expect(daemon.errors.contains("\"configuration.changed\":\"access, log.level\""))

            try installation.put(
                configuration: "access: [{uid: me, users: \"*\", allow: [tokens]}]\nlog: {level: loud}\n"
            )
            try await hangUp(daemon, until: "configuration not reloaded")
            let findings = records(daemon).filter { $0["level"] as? String == "error" }
                .compactMap { $0["configuration.finding"] as? String }
            #expect(findings.count == 3 && findings.allSatisfy { $0.contains("/config.yaml:") }, "\(findings)")
            #expect(try await ask(as: 41_002, in: installation) == "200")
            #expect(try await ask(as: 41_001, in: installation) == "403")

            try installation.put(configuration: "socket: {credentialsPath: /x}\ndatabase: {table: people}\n")
            try await hangUp(daemon, until: "settings changed that need a restart")
            #expect(daemon.errors.contains("\"configuration.changed\":\"database.table\""))
            #expect(try await ask(as: 41_002, in: installation) == "403")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func aNewClientSecretInItsFileMendsRefreshesWithoutARestart() async throws {
        try await Installation.with(accounts: 1) { installation in
            let path = "\(installation.folder)/client-secret"
            try "canary-wrong\n".write(toFile: path, atomically: true, encoding: .utf8)
            let daemon = try await installation.startReadyDaemon(
                ["TASTYTRADE_CLIENT_SECRET_FILE": path, "REFRESH_BACKOFF_MAX": "1s"],
                without: ["TASTYTRADE_CLIENT_SECRET"]
            )
            try await eventually("the refresh is refused: \(daemon.errors)") {
                daemon.errors.contains("client_refused")
            }
            #expect(try SocketProbe.get("/v1/users/1/token?max_wait=0", at: installation.socket).status != 200)
            try "\(installation.secret)\n".write(toFile: path, atomically: true, encoding: .utf8)
            try await hangUp(daemon, until: "configuration reloaded")
            #expect(daemon.errors.contains("\"configuration.changed\":\"tastytrade.clientSecret\""))
            try await eventually("the token is there") {
                try SocketProbe.get("/v1/users/1/token?max_wait=1", at: installation.socket).status == 200
            }
            let end = try await installation.stop(daemon)
            #expect(end.status == 0 && !end.errors.contains("canary") && !end.errors.contains(installation.secret))
        }
    }

    @Test func manyReloadsUnderLoadCostNoCallerHisAnswer() async throws {
        try await Installation.with(accounts: 3) { installation in
            let daemon = try await installation.startReadyDaemon(
                file: "access: [{uid: 7, users: \"*\", allow: [token]}]"
            )
            try await eventually("the tokens are there") {
                try SocketProbe.get("/v1/users/3/token?max_wait=5", at: installation.socket).status == 200
            }
            let socket = installation.socket
            var probe = try SocketProbe(at: socket)
            for round in 0..<300 {
                if round.isMultiple(of: 3) { daemon.signal(SIGHUP) }
                let replies = try probe.get((1...3).map { "/v1/users/\($0)/token" })
                #expect(replies.allSatisfy { $0.status == 200 }, "round \(round)")
            }
            try await eventually("it has read its file again") { daemon.errors.contains("configuration reloaded") }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func theServiceManagerIsToldOfAReloadAndOfItsEnd() async throws {
        try await Installation.with(accounts: 1) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            let daemon = try await installation.startReadyDaemon(["NOTIFY_SOCKET": manager.path])
            try await eventually("it is ready") { manager.count(of: "READY=1") == 1 }
            let before = monotonicMicroseconds()
            for reload in 1...2 {
                daemon.signal(SIGHUP)
                try await eventually("reload \(reload) is over") { manager.count(of: "READY=1") == 1 + reload }
            }
            let reloads = manager.messages.filter { $0.contains("RELOADING=1") }
            #expect(reloads.count == 2)
            let times = reloads.flatMap { $0.split(separator: "\n") }
                .compactMap { $0.hasPrefix("MONOTONIC_USEC=") ? UInt64($0.dropFirst(15)) : nil }
            #expect(
                times.count == 2 && times[0] >= before && times[1] > times[0] && times[1] <= monotonicMicroseconds()
            )
            #expect(manager.messages.last { $0.contains("READY=1") }?.contains("STATUS=1 account") == true)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func aReloadThatIsRefusedIsSaidInTheStatusUntilOneIsNot() async throws {
        try await Installation.with(accounts: 1) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            let daemon = try await installation.startReadyDaemon(
                ["NOTIFY_SOCKET": manager.path],
                file: "log: {level: info}"
            )
            func lastReady() -> String { manager.messages.last { $0.contains("READY=1") } ?? "" }
            try installation.put(configuration: "lgo: {level: info}")
            daemon.signal(SIGHUP)
            try await eventually("it says so") {
                lastReady().contains("STATUS=Configuration NOT reloaded, see the log; 1 account")
            }
            try installation.put(configuration: "log: {level: warning}")
            daemon.signal(SIGHUP)
            try await eventually("all is well") { lastReady().contains("STATUS=1 account") }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func aReloadBeforeTheAccountsAreLoadedDoesNotLookLikeReadiness() async throws {
        try await Installation.with(accounts: 1) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            try await installation.postgres.stop()
            let daemon = try installation.startDaemon(["NOTIFY_SOCKET": manager.path], file: "log: {level: info}")
            try await eventually("the database is missed") { daemon.errors.contains("accounts could not be loaded") }
            try installation.put(configuration: "log: {level: debug}")
            try await hangUp(daemon, until: "configuration reloaded")
            #expect(manager.count(of: "READY=1") == 0 && manager.count(of: "RELOADING=1") == 0)
            try await installation.postgres.start()
            try await eventually("it is ready") { manager.count(of: "READY=1") == 1 }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    private func monotonicMicroseconds() -> UInt64 {
        DispatchTime.now().uptimeNanoseconds / 1000
    }
}
