// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Foundation
import Synchronization

/// A private PostgreSQL in a temporary folder, reachable over a Unix socket in that folder only, with user `postgres`
/// and without a password.
///
/// A janitor process holds the other end of a pipe. When the pipe closes, by ``tearDown()``, by letting go of the last
/// reference or by any end of the test process, `kill -9` included, it stops the server and removes the folder.
package final class TemporaryPostgres: Sendable {
    /// How the server is stopped; see `pg_ctl stop -m`.
    package enum StopMode: String, Sendable {
        /// Open connections are closed in an orderly manner.
        case fast
        /// As a crash: no goodbye, and recovery at the next start.
        case immediate
    }

    /// Where everything is; also what `host=` names.
    package let folder: String

    private let installation: PostgresInstallation
    private let janitor: Janitor
    private let databases = Mutex(0)

    private init(folder: String, installation: PostgresInstallation, janitor: Janitor) {
        self.folder = folder
        self.installation = installation
        self.janitor = janitor
    }

    /// Makes a server and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - settings: lines for `postgresql.conf`.
    ///   - accessRules: lines for `pg_hba.conf`, before the one that trusts everybody.
    /// - Returns: the running server.
    /// - Throws: if PostgreSQL is not installed, or with what its programs said.
    package static func start(settings: [String] = [], accessRules: [String] = []) async throws -> TemporaryPostgres {
        let installation = try PostgresInstallation.find()
        let folder = try installation.makeFolder()
        let janitor = try Janitor(
            folder: folder,
            stop: installation.control(folder) + ["-m", "immediate", "-w", "stop"]
        )
        let server = TemporaryPostgres(folder: folder, installation: installation, janitor: janitor)
        do {
            try await server.initialise(settings, accessRules)
            try await server.start()
        } catch {
            await server.tearDown()
            throw error
        }
        return server
    }

    /// Makes a standby that follows this server, with the same databases and roles.
    package func makeStandby() async throws -> TemporaryPostgres {
        let folder = try installation.makeFolder()
        let stop = installation.control(folder) + ["-m", "immediate", "-w", "stop"]
        let janitor = try Janitor(folder: folder, stop: stop)
        let standby = TemporaryPostgres(folder: folder, installation: installation, janitor: janitor)
        do {
            let options = [
                "-D", "\(folder)/data", "-h", self.folder, "-U", "postgres", "-c", "fast", "-R", "--no-sync",
            ]
            try await Command(installation.asPostgres + ["\(installation.binaries)/pg_basebackup"] + options).run()
            try standby.append(["unix_socket_directories = '\(folder)'"], to: "\(folder)/data/postgresql.conf")
            try await standby.start()
        } catch {
            await standby.tearDown()
            throw error
        }
        return standby
    }

    /// Makes a standby a primary.
    package func promote() async throws {
        try await Command(installation.control(folder) + ["-w", "promote"]).run()
    }

    /// Waits until this standby has applied all that `primary` has written so far.
    package func catchUp(with primary: TemporaryPostgres) async throws {
        let position = try await primary.query("SELECT pg_current_wal_lsn()")
        try await execute(
            """
            DO $$ BEGIN WHILE pg_last_wal_replay_lsn() < '\(position)' LOOP PERFORM pg_sleep(0.01); END LOOP; END $$
            """
        )
    }

    /// The libpq URI of a database.
    package func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(folder)&user=\(user)"
    }

    /// The libpq URI of database `postgres`.
    package var url: String { url() }

    /// Starts the server again after ``stop(mode:)``, with the same data.
    package func start() async throws {
        let command = installation.control(folder) + ["-l", "\(folder)/log", "-w", "-t", "60", "start"]
        try await Command(command).run()
    }

    /// Stops the server and waits until it has ended; its data stay.
    package func stop(mode: StopMode = .fast) async throws {
        try await Command(installation.control(folder) + ["-m", mode.rawValue, "-w", "stop"]).run()
    }

    /// Runs SQL with psql; any error throws.
    package func execute(_ sql: String, database: String = "postgres") async throws {
        _ = try await query(sql, database: database)
    }

    /// Runs SQL with psql and gives its output: a line per row, fields separated by `|`, no header.
    package func query(_ sql: String, database: String = "postgres") async throws -> String {
        let psql = [installation.psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url(database: database)]
        let output = try await Command(psql, input: sql).run()
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// Everything in a database, as a script that would make it again.
    package func dump(database: String) async throws -> String {
        let script = try await Command([installation.dump, "-d", url(database: database)]).run()
        // Newer versions guard a script with a word made anew each time.
        return script.split(separator: "\n").filter { !$0.hasPrefix("\\") }.joined(separator: "\n")
    }

    /// Makes an empty database with a name of its own and gives the name.
    package func createDatabase(encoding: String = "UTF8") async throws -> String {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        // The server's own locale goes with UTF-8 alone.
        let other = encoding == "UTF8" ? "" : " TEMPLATE template0 ENCODING '\(encoding)' LC_COLLATE 'C' LC_CTYPE 'C'"
        try await execute("CREATE DATABASE test_\(number)\(other)")
        return "test_\(number)"
    }

    /// Stops the server and removes all that it left. Doing it again does no harm.
    package func tearDown() async {
        await janitor.finish()
    }

    private func initialise(_ settings: [String], _ accessRules: [String]) async throws {
        let data = "\(folder)/data"
        let options = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        try await Command(installation.asPostgres + ["\(installation.binaries)/initdb"] + options).run()
        let configuration = [
            "listen_addresses = ''", "unix_socket_directories = '\(folder)'", "fsync = off", "full_page_writes = off",
            "max_connections = 1000", "shared_buffers = '64MB'",
        ]
        try append(configuration + settings, to: "\(data)/postgresql.conf")
        let rules = try String(contentsOfFile: "\(data)/pg_hba.conf", encoding: .utf8)
        try Data((accessRules.joined(separator: "\n") + "\n" + rules).utf8)
            .write(to: URL(fileURLWithPath: "\(data)/pg_hba.conf"), options: [])
    }

    private func append(_ lines: [String], to path: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(("\n" + lines.joined(separator: "\n") + "\n").utf8))
        try file.close()
    }
}

/// Runs `body` with a server of its own, which is gone afterwards, whatever `body` did.
package func withTemporaryPostgres<Value>(
    settings: [String] = [],
    accessRules: [String] = [],
    _ body: (TemporaryPostgres) async throws -> Value
) async throws -> Value {
    let server = try await TemporaryPostgres.start(settings: settings, accessRules: accessRules)
    do {
        let value = try await body(server)
        await server.tearDown()
        return value
    } catch {
        await server.tearDown()
        throw error
    }
}
