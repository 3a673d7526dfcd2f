// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import TokenSimulator

/// One of the daemons, through all its lives.
final class ChaosDaemon: Sendable {
    /// All are the same endpoint. The daemons differ in how they write it, so that the simulator's records tell them apart.
    private static let hosts = ["127.0.0.1", "localhost", "LOCALHOST"]
    /// A start that takes longer is one that fails.
    private static let mostSecondsToStart = 60

    let number: Int
    private let stage: Stage
    private let folder: String
    private let program = Mutex<RunningProgram?>(nil)
    private let isBusy = Mutex(false)
    private let clock: FakeWallClock?

    init(_ number: Int, _ stage: Stage) async throws {
        (self.number, self.stage) = (number, stage)
        folder = "\(stage.installation.folder)/daemon-\(number)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        clock = stage.settings.stepsClocks ? try await FakeWallClock(in: folder) : nil
    }

    /// As many as the settings say; none is started yet.
    static func all(on stage: Stage) async throws -> [ChaosDaemon] {
        var daemons: [ChaosDaemon] = []
        for number in 0..<stage.settings.daemons { daemons.append(try await ChaosDaemon(number, stage)) }
        return daemons
    }

    /// Whose request it is, by its `Host`; -1 if nobody's.
    static func number(ofHost host: String) -> Int {
        hosts.firstIndex { host.hasPrefix($0 + ":") } ?? -1
    }

    var socket: String { "\(folder)/api.sock" }
    var pid: Int32? { program.withLock { $0?.isRunning == true ? $0?.pid : nil } }

    /// Starts it, and waits until it is ready.
    func start() async throws {
        let port = stage.installation.simulator.port
        let own = [
            "SOCKET_PATH": socket, "STATE_DIRECTORY": folder, "DATABASE_URL": stage.proxy.url(),
            "TASTYTRADE_API_URL": "https://\(Self.hosts[number]):\(port)",
        ]
        let daemon = try stage.installation.startDaemon(own.merging(clock?.environment ?? [:]) { $1 })
        program.withLock { $0 = daemon }
        let socket = socket
        try await eventually(within: Self.mostSecondsToStart, "daemon \(number) is ready; it said: \(daemon.errors)") {
            guard daemon.isRunning else {
                throw Overdue(description: "daemon \(self.number) ended: \(daemon.errors.suffix(2000))")
            }
            return (try? await onThread { try SocketProbe.get("/readyz", at: socket).status }) == 200
        }
    }

    /// Kills it, and starts it again after a while. False if something is being done to it already, as from the others.
    func kill(downFor time: Double) async throws -> Bool {
        try await alone {
            guard let daemon = program.withLock({ $0 }) else { return }
            let began = stage.now
            daemon.signal(SIGKILL)
            _ = try await daemon.end()
            try await noteClaims(since: began)
            let index = open(isKill: true, since: began)
            try await Task.sleep(for: .seconds(time))
            try await start()
            close(index)
        }
    }

    /// Ends it in good order, and starts it again.
    func restart() async throws -> Bool {
        try await alone {
            let began = stage.now
            // What it has claimed it gives back.
            try await stop()
            let index = open(isKill: false, since: began)
            try await start()
            close(index)
        }
    }

    /// Stops it in the middle of whatever it does, and lets it go on after a while.
    func pause(for time: Double) async throws -> Bool {
        try await alone {
            guard let daemon = program.withLock({ $0 }) else { return }
            let began = stage.now
            daemon.signal(SIGSTOP)
            let index = open(isKill: false, since: began)
            try await noteClaims(since: began)
            try await Task.sleep(for: .seconds(max(0, began + time - stage.now)))
            daemon.signal(SIGCONT)
            close(index)
        }
    }

    /// Puts its wall clock somewhere else.
    func stepClock(to offset: Double) throws {
        try clock?.set(to: offset)
        let now = stage.now
        stage.note { [number] in $0.clockSteps.append(Evidence.ClockStep(at: now, daemon: number, offset: offset)) }
    }

    /// Ends it in good order.
    func stop() async throws {
        guard let daemon = program.withLock({ $0 }), daemon.isRunning else { return }
        daemon.signal(SIGTERM)
        let end = try await daemon.end()
        if end.status != 0 {
            stage.note { [number] in $0.troubles.append("daemon \(number) ended with \(end.status) at SIGTERM") }
        }
    }

    /// Does one thing to it at a time; leaves it out if something is being done already.
    private func alone(_ body: () async throws -> Void) async throws -> Bool {
        let isFree = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else {
            stage.say("(left out: daemon \(number) is not back yet)")
            return false
        }
        defer { isBusy.withLock { $0 = false } }
        try await body()
        return true
    }

    /// What it has claimed nobody else can refresh until its claims run out.
    private func noteClaims(since began: Double) async throws {
        let id = try String(contentsOfFile: "\(folder)/daemon-id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let rows = try await stage.installation.postgres.query(
            """
            SELECT user_id, date_part('epoch', until - clock_timestamp()) FROM tastytokend.claims
            WHERE owner = '\(id)' AND until > clock_timestamp()
            """
        )
        let now = stage.now
        let faults = rows.split(separator: "\n").compactMap { row -> Evidence.Fault? in
            let fields = row.split(separator: "|")
            guard fields.count == 2, let account = Int(fields[0]), let left = Double(fields[1]) else { return nil }
            let span = Span(from: began, to: now + left)
            return Evidence.Fault(what: "claimed", account: account, claimedBy: number, span: span)
        }
        stage.note { $0.faults += faults }
    }

    private func open(isKill: Bool, since began: Double) -> Int {
        stage.note { [number] evidence in
            evidence.downtimes.append(
                Evidence.Downtime(daemon: number, isKill: isKill, span: Span(from: began, to: .infinity))
            )
            return evidence.downtimes.count - 1
        }
    }

    private func close(_ index: Int) {
        let now = stage.now
        stage.note { [number] evidence in
            evidence.downtimes[index].span.to = now
            // It takes its claims up again.
            for fault in evidence.faults.indices where evidence.faults[fault].claimedBy == number {
                evidence.faults[fault].span.to = min(evidence.faults[fault].span.to, now)
            }
        }
    }
}
