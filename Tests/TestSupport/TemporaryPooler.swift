// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// A PgBouncer in transaction mode before a ``TemporaryPostgres``, on a Unix socket in a folder of its own. A
/// ``Janitor`` ends it, whatever becomes of the test.
package final class TemporaryPooler: Sendable {
    private static let program = "/usr/sbin/pgbouncer"
    private static let port = 6432

    private let folder: String
    private let janitor: Janitor

    private init(folder: String, janitor: Janitor) {
        self.folder = folder
        self.janitor = janitor
    }

    /// Makes one and waits until it lets somebody through.
    ///
    /// - Parameters:
    ///   - server: where it leads.
    ///   - users: who may come in.
    ///   - connections: how many it opens to the server for one user and database.
    /// - Returns: the running pooler.
    /// - Throws: if PgBouncer is not installed, or with what it said.
    package static func start(
        before server: TemporaryPostgres,
        users: [String] = ["postgres"],
        connections: Int = 4
    ) async throws -> TemporaryPooler {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw TestSupportError("There is no \(program). Install one: apt-get install pgbouncer")
        }
        let installation = try PostgresInstallation.find()
        let folder = try installation.makeFolder()
        let settings = """
            [databases]
            * = host=\(server.folder)
            [pgbouncer]
            listen_addr =
            listen_port = \(port)
            unix_socket_dir = \(folder)
            auth_type = trust
            auth_file = \(folder)/users
            pool_mode = transaction
            default_pool_size = \(connections)
            server_round_robin = 1
            max_client_conn = 100
            pidfile = \(folder)/pid
            logfile = \(folder)/log
            """
        try Data(settings.utf8).write(to: URL(fileURLWithPath: "\(folder)/settings"))
        try Data(users.map { "\"\($0)\" \"\"\n" }.joined().utf8).write(to: URL(fileURLWithPath: "\(folder)/users"))
        // It has nothing to save, and may have inherited a mask that keeps it from hearing a politer word.
        let janitor = try Janitor(folder: folder, stop: ["/bin/sh", "-c", "kill -KILL $(cat \(folder)/pid)"])
        let pooler = TemporaryPooler(folder: folder, janitor: janitor)
        do {
            try await Command(installation.asPostgres + [program, "-q", "-d", "\(folder)/settings"]).run()
            try await pooler.comesUp(installation)
        } catch {
            await pooler.tearDown()
            throw error
        }
        return pooler
    }

    /// The libpq URI of a database behind it.
    package func url(database: String, user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(folder)&port=\(Self.port)&user=\(user)"
    }

    /// Ends it and removes all that it left.
    package func tearDown() async {
        await janitor.finish()
    }

    private func comesUp(_ installation: PostgresInstallation) async throws {
        let look = "until \(installation.psql) -X -q -c 'SELECT 1' '\(url(database: "postgres"))'; do sleep 0.05; done"
        try await Command(["/usr/bin/timeout", "20", "/bin/sh", "-c", "\(look) >/dev/null 2>&1"]).run()
    }
}
