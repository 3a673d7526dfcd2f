// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// Where PostgreSQL's programs are, and how they are started: never as root, which the server refuses.
struct PostgresInstallation: Sendable {
    /// The folder of `initdb`, `pg_ctl` and `postgres`.
    let binaries: String
    /// What goes before a command so that it runs as user `postgres`; empty for whoever is not root.
    let asPostgres: [String]

    /// The client, which may run as anybody.
    var psql: String { "\(binaries)/psql" }

    /// What writes a database as a script; it may run as anybody too.
    var dump: String { "\(binaries)/pg_dump" }

    /// `pg_ctl` for the data in a folder.
    func control(_ folder: String) -> [String] {
        asPostgres + ["\(binaries)/pg_ctl", "-D", "\(folder)/data", "-s"]
    }

    /// The newest version in the place where Debian keeps them all.
    static func find() throws -> PostgresInstallation {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.filter { FileManager.default.isExecutableFile(atPath: "\(root)/\($0)/bin/initdb") }
            .max { $0.compare($1, options: .numeric) == .orderedAscending }
        guard let newest else {
            throw TestSupportError("There is no PostgreSQL server in \(root). Install one: apt-get install postgresql")
        }
        let prefix = geteuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] : []
        return PostgresInstallation(binaries: "\(root)/\(newest)/bin", asPostgres: prefix)
    }

    /// An empty folder that the server's user owns.
    func makeFolder() throws -> String {
        let folder = try makeTemporaryFolder(for: "pg")
        if !asPostgres.isEmpty {
            guard let account = getpwnam("postgres"), chown(folder, account.pointee.pw_uid, account.pointee.pw_gid) == 0
            else { throw TestSupportError("There is no user postgres to run the server as.") }
        }
        chmod(folder, 0o755)
        return folder
    }
}
