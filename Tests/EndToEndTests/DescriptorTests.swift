// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing
import TokenSimulator

/// A daemon whose descriptors run out.
@Suite struct DescriptorTests {
    @Test(.enabled(if: geteuid() == 0, "looking at the descriptors of a daemon takes root"))
    func callersAreRefusedWhileNoneIsLeftAndLetInAfterwards() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let (socket, process) = (installation.socket, daemon.pid)
            // Without a descriptor the daemon could not fetch it either.
            try await eventually("the first token") {
                try SocketProbe.get("/v1/users/1/token", at: socket).status == 200
            }
            let view = ProcessView(process: process)
            let limit = try view.descriptors() + 8
            let prlimit = ["--pid", "\(process)", "--nofile=\(limit):\(limit)"]
            let lowered = try await RunningProgram.run("/usr/bin/prlimit", prlimit, in: installation.folder)
            try #require(lowered.status == 0, "\(lowered.errors)")

            let early = try KeptProbe(at: socket)
            #expect(try early.status(of: "/healthz") == 200)
            var held: [KeptProbe] = []
            var refused = 0
            while refused < 5, held.count < 50 {
                let probe = try KeptProbe(at: socket)
                if try probe.status(of: "/healthz") == 503 { refused += 1 } else { held.append(probe) }
            }
            #expect(refused == 5, "who finds no descriptor is told so")
            let before = try view.processorTime()
            try await Task.sleep(for: .seconds(1))
            #expect(try view.processorTime() - before < .milliseconds(500), "it does not spin")
            #expect(try early.status(of: "/v1/users/1/token") == 200, "who is in is served")
            held = []
            try await eventually("there is room again") { try KeptProbe(at: socket).status(of: "/healthz") == 200 }
            let metrics = try SocketProbe.get("/metrics", at: socket).body
            let series = "tastytokend_connections_refused_total{reason=\"no_descriptor\"} "
            let counted = metrics.split(separator: "\n").first { $0.hasPrefix(series) }
            #expect(try #require(counted.flatMap { Int($0.dropFirst(series.count)) }) >= 5)
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.ranges(of: "no descriptor is left").count == 1, "said once")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "looking at the descriptors of a daemon takes root"))
    func whoWaitsOutsideIsLetInOnceThereIsRoomThoughNobodyElseCalls() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let (socket, process) = (installation.socket, daemon.pid)
            let view = ProcessView(process: process)
            let before = try view.descriptors()
            func setLimit(_ limit: Int) async throws {
                let arguments = ["--pid", "\(process)", "--nofile=\(limit):\(before + 64)"]
                let end = try await RunningProgram.run("/usr/bin/prlimit", arguments, in: installation.folder)
                try #require(end.status == 0, "\(end.errors)")
            }
            // Below all that are open, so that the one in reserve, once it was given up, cannot be had again.
            try await setLimit(4)
            async let waiting = onThread { try SocketProbe.get("/healthz", at: socket).status }
            try await eventually("the reserve is gone") { try view.descriptors() < before }
            let used = try view.processorTime()
            try await Task.sleep(for: .seconds(1))
            #expect(try view.processorTime() - used < .milliseconds(500), "it does not spin")
            try await setLimit(before + 64)
            #expect(try await waiting == 200)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "setting the limits of a daemon takes root"))
    func moreCallsAfterAReloadGetTheirDescriptorsOrAWarning() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(file: "refresh: {maxInFlight: 8}\n")
            // Beside 48 and 1024 callers there is room for 48 calls.
            let prlimit = ["--pid", "\(daemon.pid)", "--nofile=1000:1120"]
            let lowered = try await RunningProgram.run("/usr/bin/prlimit", prlimit, in: installation.folder)
            try #require(lowered.status == 0, "\(lowered.errors)")
            let warning = "fewer descriptors than callers and refresh.maxInFlight may take"
            for (round, (calls, limit)) in [(40, 1112), (64, 1120)].enumerated() {
                let file = "refresh: {maxInFlight: \(calls)}\n"
                try file.write(toFile: "\(installation.folder)/config.yaml", atomically: true, encoding: .utf8)
                daemon.signal(SIGHUP)
                try await eventually("it reloads: \(daemon.errors)") {
                    daemon.errors.ranges(of: "configuration reloaded").count == round + 1
                }
                let metrics = try SocketProbe.get("/metrics", at: installation.socket).body
                #expect(metrics.contains("\nprocess_max_fds \(limit)\n"))
                #expect(daemon.errors.contains(warning) == (limit == 1120))
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func aBurstOfRefreshesKeepsToItsShare() async throws {
        let settings = ["REFRESH_MAX_PER_SECOND": "1000"]
        try await Installation.with(accounts: 100, settings: settings) { installation in
            installation.simulator.set(Fault(.latency(.milliseconds(300) ... .milliseconds(400))))
            let daemon = try await installation.startReadyDaemon(descriptors: 64)
            try await eventually("all have tokens; it said: \(daemon.errors)") {
                installation.simulator.counts.count(.issued) >= 100
            }
            #expect(installation.simulator.counts.peakInFlight <= 8)
            #expect(!daemon.errors.contains("Too many open files"))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func tooFewToWorkWithEndTheStart() async throws {
        try await Installation.with(accounts: 1) { installation in
            let end = try await installation.startDaemon(descriptors: 40).end()
            #expect(end.status == 71)
            #expect(
                end.errors.contains("40 descriptors may be open, and 56 are the fewest with which the daemon works")
            )
        }
    }

    @Test func h23CallersWithoutEndTakeNothingFromRefreshes() async throws {
        try await Installation.with(accounts: 3, lifetime: .seconds(10)) { installation in
            let daemon = try await installation.startReadyDaemon(descriptors: 64)
            let (socket, view) = (installation.socket, ProcessView(process: daemon.pid))
            _ = try await installation.allTokens(1...3)
            let (before, began) = (try view.processorTime(), ContinuousClock.now)
            let crowd = try await onThread { try Crowd(of: 200, at: socket) }
            try await eventually("all but a few are refused") { crowd.refused == 200 - 6 }
            // Twice for each account: what was open before would do for once.
            let issued = installation.simulator.counts.count(.issued)
            try await eventually("tokens are refreshed") {
                installation.simulator.counts.count(.issued) >= issued + 6
            }
            let wall = ContinuousClock.now - began
            #expect(try view.processorTime() - before < wall / 2, "it does not spin")
            #expect(crowd.refused == 200 - 6, "whoever was let in still is")
            crowd.leave()
            try await eventually("there is room again") {
                (try? SocketProbe.get("/v1/users/1/token?max_wait=0&min_ttl=0", at: socket).status) == 200
            }
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.ranges(of: "fewer connections than usual are taken").count == 1)
            #expect(daemon.errors.ranges(of: "too many are open").count == 1, "said once")
            #expect(!daemon.errors.contains("no descriptor is left"), "enough of them are set aside")
        }
    }
}
