// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import TokenSimulator

/// A whole installation in a folder of its own: a private PostgreSQL with the table as Rails makes it, the simulator
/// behind TLS, and the daemon as it was built.
final class Installation: Sendable {
    let folder: String
    let postgres: TemporaryPostgres
    let simulator: TokenSimulator
    let secret: String
    private let settings: [String: String]

    /// The daemon's socket.
    var socket: String { "\(folder)/api.sock" }

    private init(
        folder: String,
        postgres: TemporaryPostgres,
        simulator: TokenSimulator,
        secret: String,
        settings: [String: String]
    ) {
        self.folder = folder
        self.postgres = postgres
        self.simulator = simulator
        self.secret = secret
        self.settings = settings
    }

    /// Makes an installation for users with ids from 1, gives it to `body`, and removes it, whatever `body` did. The
    /// settings are environment variables for the daemon, over the fixture's own; `simulated` changes the simulator's.
    static func with<Value>(
        accounts: Int,
        lifetime: Duration = .seconds(900),
        settings: [String: String] = [:],
        simulated: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: (Installation) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryPostgres { postgres in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
                "ttd-\(UUID().uuidString.prefix(8))"
            ).path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let secret = "canary-secret-\(UUID().uuidString)"
            var configuration = SimulatorConfiguration(keySeed: "end-to-end", randomSeed: 1)
            configuration.client.secret = secret
            configuration.lifetime = lifetime
            configuration.caFile = "\(folder)/authority.pem"
            simulated(&configuration)
            let simulator = try await TokenSimulator.start(configuration, clock: SimulatorInstant.systemNow)
            let installation = Installation(
                folder: folder,
                postgres: postgres,
                simulator: simulator,
                secret: secret,
                settings: settings
            )
            do {
                try await installation.fill(accounts)
                let value = try await body(installation)
                try await simulator.stop()
                return value
            } catch {
                try? await simulator.stop()
                throw error
            }
        }
    }

    private func fill(_ accounts: Int) async throws {
        try await postgres.execute(
            """
            CREATE TABLE users (
              id bigserial PRIMARY KEY, email character varying NOT NULL DEFAULT '',
              tastytrade_oauth_token text, tastytrade_oauth_refresh_token text,
              tastytrade_oauth_expires_at timestamp(6) without time zone,
              created_at timestamp(6) without time zone NOT NULL DEFAULT now(),
              updated_at timestamp(6) without time zone NOT NULL DEFAULT now())
            """
        )
        guard accounts > 0 else { return }
        let rows = try (1...accounts).map { "('\(try simulator.makeGrant(for: "\($0)"))')" }
        try await postgres.execute(
            "INSERT INTO users (tastytrade_oauth_refresh_token) VALUES \(rows.joined(separator: ","))"
        )
    }

    private func environment(_ more: [String: String], without: [String] = []) -> [String: String] {
        let own = [
            "DATABASE_URL": postgres.url,
            "TASTYTRADE_ENV": "sandbox",
            "TASTYTRADE_CLIENT_SECRET": secret,
            "TASTYTRADE_API_URL": simulator.url,
            "TASTYTRADE_CA_FILE": "\(folder)/authority.pem",
            "SOCKET_PATH": socket,
            "WEB_ENABLED": "false",
            "STATE_DIRECTORY": folder,
            "LOG_FORMAT": "json",
        ]
        return own.merging(settings) { $1 }.merging(more) { $1 }.filter { !without.contains($0.key) }
    }

    /// What a daemon has around it, for a test that starts it by a way of its own.
    func daemonEnvironment(_ more: [String: String] = [:]) -> [String: String] { environment(more) }

    /// Runs another verb of the daemon's program, with what the daemon would have.
    func tastytokend(
        _ verb: String,
        _ more: [String: String] = [:],
        arguments: [String] = [],
        without: [String] = []
    ) async throws -> RunningProgram.End {
        let environment = environment(more, without: without)
        return try await RunningProgram.run("tastytokend", [verb] + arguments, environment: environment, in: folder)
    }

    /// Starts the daemon, with a configuration file if there is anything to be written into one, with the name service
    /// of the machine or another, under another command if one is given, and with so many descriptors at most or as many as
    /// this process may have.
    func startDaemon(
        _ more: [String: String] = [:],
        file: String? = nil,
        without: [String] = [],
        names: NameService? = nil,
        under command: [String] = [],
        descriptors: Int? = nil
    ) throws -> RunningProgram {
        let environment = environment(more, without: without)
        var arguments = ["run"]
        if let file {
            let path = "\(folder)/config.yaml"
            try file.write(toFile: path, atomically: true, encoding: .utf8)
            arguments += ["--config", path]
        }
        let limited = descriptors.map { ["/usr/bin/prlimit", "--nofile=\($0):\($0)"] } ?? []
        let command =
            limited + (names?.command ?? command) + [try RunningProgram.built("tastytokend").path] + arguments
        return try RunningProgram(command[0], Array(command.dropFirst()), environment: environment, in: folder)
    }

    /// Starts the daemon and waits until it is ready.
    func startReadyDaemon(
        _ more: [String: String] = [:],
        file: String? = nil,
        without: [String] = [],
        descriptors: Int? = nil
    ) async throws -> RunningProgram {
        let daemon = try startDaemon(more, file: file, without: without, descriptors: descriptors)
        try await eventually("the daemon is ready; it said: \(daemon.errors)") {
            guard daemon.isRunning else {
                throw RunningProgram.Failure.stillRunning("no daemon", errors: daemon.errors)
            }
            return (try? SocketProbe.get("/readyz", at: self.socket).status) == 200
        }
        return daemon
    }

    /// Sends SIGTERM and waits for the end.
    func stop(_ daemon: RunningProgram) async throws -> RunningProgram.End {
        daemon.signal(SIGTERM)
        return try await daemon.end()
    }

    /// Runs the client tool against this daemon.
    func tastytoken(_ arguments: String...) async throws -> RunningProgram.End {
        try await tastytoken(arguments)
    }

    /// Runs the client tool against this daemon.
    func tastytoken(_ arguments: [String]) async throws -> RunningProgram.End {
        try await RunningProgram.run("tastytoken", arguments, environment: ["SOCKET_PATH": socket], in: folder)
    }

    /// Runs the client tool against this daemon, with that on its standard input.
    func tastytoken(_ arguments: [String], input: String) async throws -> RunningProgram.End {
        let file = "\(folder)/input"
        try input.write(toFile: file, atomically: true, encoding: .utf8)
        return try await RunningProgram.run(
            "/bin/sh",
            ["-c", "exec \"$@\" < \"$0\"", file, try RunningProgram.built("tastytoken").path] + arguments,
            environment: ["SOCKET_PATH": socket],
            in: folder
        )
    }
}

/// What did not come about in time.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// Looks again and again until `condition` holds. Only how long a failing test takes depends on the time.
func eventually(
    within seconds: Int = 60,
    _ what: @autoclosure () -> String,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw Overdue(description: "not within \(seconds) s: \(what())")
}
