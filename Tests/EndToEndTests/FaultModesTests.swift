// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Accounts by the hundred, each with another fault, over several lives of their tokens: nobody else feels them.
@Suite(.serialized, .timeLimit(.minutes(6))) struct FaultModesTests {
    private static let lifetime = 24.0
    private static let cases = FaultCatalogue.all
    private static var users: [(user: Int, fault: FaultCase)] {
        cases.enumerated().map { ($0.offset + 1, $0.element) }
    }

    /// What was seen of the accounts that are to be served.
    private struct Watch: Sendable {
        var looks = 0
        var failures: Set<String> = []
        var shortest = Int.max
        var resident: [Int] = []
        var descriptors: [Int] = []
    }

    @Test func everyAccountsFaultIsItsOwn() async throws {
        #expect(Self.cases.count >= 200)
        let settings = [
            "REFRESH_MAX_PER_SECOND": "1000", "REFRESH_MAX_IN_FLIGHT": "128", "REFRESH_CONNECT_TIMEOUT": "5s",
            "REFRESH_TIMEOUT": "8s", "REFRESH_BACKOFF_INITIAL": "2s", "REFRESH_BACKOFF_MAX": "8s",
            "DATABASE_RECONCILE_EVERY": "2s",
        ]
        let lifetime = Duration.seconds(Self.lifetime)
        try await Installation.with(accounts: Self.cases.count, lifetime: lifetime, settings: settings) {
            installation in
            let daemon = try await installation.startReadyDaemon()
            try await eventually("everybody has a token") {
                try Self.haveTokens(installation)
            }
            let before = installation.simulator.accountCounts
            for (user, fault) in Self.users {
                for mode in fault.modes { installation.simulator.set(Fault(mode), for: .account("\(user)")) }
            }
            let watch = try await watch(installation, daemon, for: 3 * Self.lifetime)
            #expect(watch.failures.isEmpty, "\(watch.failures.sorted())")
            #expect(watch.looks > 20)
            try await expectStatuses(installation)
            expectBoundedCalls(installation, since: before)
            expectFlat(watch)
            try await expectRecovery(installation)
            try await expectNoSecrets(installation, try await installation.stop(daemon))
            print(
                "fault modes: \(Self.cases.count) accounts, \(watch.looks) looks, \(watch.shortest) s left at least,",
                "\(watch.resident.max() ?? 0) kB, \(watch.descriptors.max() ?? 0) descriptors"
            )
        }
    }

    // MARK: What is seen

    private static func statuses(_ installation: Installation) throws -> [String] {
        var probe = try SocketProbe(at: installation.socket)
        return try probe.get(users.map { "/v1/users/\($0.user)" }).map { $0.member("status") ?? "none" }
    }

    private static func haveTokens(_ installation: Installation) throws -> Bool {
        var probe = try SocketProbe(at: installation.socket)
        return try probe.get(users.map { "/v1/users/\($0.user)/token?max_wait=0" }).allSatisfy { $0.status == 200 }
    }

    /// Asks for the token of everybody who is to have one, without waiting, again and again.
    private func watch(
        _ installation: Installation,
        _ daemon: RunningProgram,
        for seconds: Double
    ) async throws -> Watch {
        let (socket, simulator, process) = (installation.socket, installation.simulator, daemon.pid)
        let served = Self.users.filter { if case .served = $0.fault.end { true } else { false } }
        return try await onThread {
            var probe = try SocketProbe(at: socket)
            var watch = Watch()
            let start = Date()
            while -start.timeIntervalSinceNow < seconds {
                watch.looks += 1
                let replies = try probe.get(served.map { "/v1/users/\($0.user)/token?max_wait=0&min_ttl=0" })
                for ((user, fault), reply) in zip(served, replies) {
                    guard let token = reply.member("access_token"), let left = reply.member("expires_in", as: Int.self)
                    else {
                        watch.failures.insert("\(fault.name): \(reply.status) at \(Int(-start.timeIntervalSinceNow)) s")
                        continue
                    }
                    watch.shortest = min(watch.shortest, left)
                    // What dies this moment may be dead before it can be looked at.
                    guard left >= 2, simulator.user(ofLiveToken: token) != "\(user)" else { continue }
                    watch.failures.insert("\(fault.name): dead with \(left) s to live")
                }
                watch.resident.append(try Self.residentKilobytes(process))
                watch.descriptors.append(try Self.openDescriptors(of: &probe))
                Thread.sleep(forTimeInterval: 0.25)
            }
            return watch
        }
    }

    /// As the daemon tells it: nobody else of its user may look.
    private static func openDescriptors(of probe: inout SocketProbe) throws -> Int {
        let text = try probe.get(["/metrics"])[0].body
        let line = text.split(separator: "\n").first { $0.hasPrefix("process_open_fds ") }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
    }

    private static func residentKilobytes(_ process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    // MARK: What must hold

    private func expectStatuses(_ installation: Installation) async throws {
        for ((user, fault), status) in zip(Self.users, try Self.statuses(installation)) {
            switch fault.end {
            case .served: #expect(["active", "refreshing", "degraded"].contains(status), "\(user), \(fault.name)")
            case .status(let statuses): #expect(statuses.contains(status), "\(user), \(fault.name): \(status)")
            }
        }
    }

    /// At a longest backoff of 8 s, four seconds on average, the time has room for twenty calls; at first, the life that
    /// was left shortened it.
    private func expectBoundedCalls(_ installation: Installation, since before: [String: AccountCounts]) {
        let now = installation.simulator.accountCounts
        for (user, fault) in Self.users {
            guard let counts = now["\(user)"] else {
                Issue.record("\(fault.name) was never asked for")
                continue
            }
            let calls = counts.requests - (before["\(user)"]?.requests ?? 0)
            if fault.backsOff { #expect(calls <= 50, "\(fault.name)") }
            if case .status(["reauthorization_required"]) = fault.end { #expect(calls <= 4, "\(fault.name)") }
            if case .served = fault.end { #expect(calls <= 12, "\(fault.name)") }
            if !fault.isSilent { #expect(counts.overlaps == 0, "\(fault.name)") }
            #expect(counts.grantsLost == 0, "\(fault.name)")
            #expect(counts.reused == 0, "\(fault.name)")
        }
    }

    /// What the last third shows is not above what the middle showed.
    private func expectFlat(_ watch: Watch) {
        for (name, values, slack) in [("kB", watch.resident, 16_384), ("descriptors", watch.descriptors, 64)] {
            let third = values.count / 3
            let middle = values[third..<2 * third].max() ?? 0
            let last = values[(2 * third)...].max() ?? 0
            #expect(last <= middle + slack, "\(name): \(middle), then \(last)")
        }
    }

    /// Without faults, all come back by themselves, and refused ones by another grant.
    private func expectRecovery(_ installation: Installation) async throws {
        installation.simulator.clearFaults()
        let refused = Self.users.filter {
            if case .status(["reauthorization_required"]) = $0.fault.end { true } else { false }
        }
        for (user, _) in refused {
            let grant = try installation.simulator.makeGrant(for: "\(user)")
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)' WHERE id = \(user)"
            )
        }
        try await eventually("all recover; now: \((try? Self.unwell(installation)) ?? [])") {
            try Self.unwell(installation).isEmpty
        }
    }

    private static func unwell(_ installation: Installation) throws -> [String] {
        zip(users, try statuses(installation)).filter { !$0.0.fault.isAskedToWait }.filter {
            !["active", "refreshing"].contains($0.1)
        }
        .map { "\($0.0.fault.name): \($0.1)" }
    }

    private func expectNoSecrets(_ installation: Installation, _ end: RunningProgram.End) async throws {
        #expect(end.status == 0)
        let rows = try await installation.postgres.query(
            "SELECT tastytrade_oauth_token FROM users UNION ALL SELECT tastytrade_oauth_refresh_token FROM users"
        )
        let signatures = rows.split(separator: "\n").compactMap { $0.split(separator: ".").last?.prefix(24) }
        #expect(signatures.count > Self.cases.count)
        let words = Set(
            end.errors.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "-" }.map { $0.prefix(24) }
        )
        #expect(words.isDisjoint(with: signatures), "a token is in the log")
        #expect(!end.errors.contains(installation.secret))
        #expect(end.errors.contains("refresh failed"), "a log that says nothing proves nothing")
    }
}
