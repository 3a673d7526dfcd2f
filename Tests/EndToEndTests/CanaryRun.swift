// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// A run with planted values: where they are planted, and all that came out. Everything lies in files, of which one folder's
/// may hold tokens, since they were asked for.
struct CanaryRun {
    private let installation: Installation
    var canaries = Canaries()
    /// The daemon's, over the installation's own: a login with a planted password.
    let settings: [String: String]

    /// Plants the client's secret and a password, and has the database remember every token that is ever in a row.
    init(_ installation: Installation) async throws {
        self.installation = installation
        canaries.plant(installation.secret)
        let password = canaries.make("dbpw")
        let encoded = password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        settings = ["DATABASE_URL": installation.postgres.url(user: "canary") + "&password=\(encoded)"]
        for folder in ["asked", "out"] {
            let path = "\(installation.folder)/\(folder)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try await installation.postgres.execute(
            """
            CREATE ROLE canary LOGIN SUPERUSER;
            CREATE SCHEMA audit;
            CREATE TABLE audit.seen (value text PRIMARY KEY);
            CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              INSERT INTO audit.seen SELECT value
              FROM unnest(ARRAY[NEW.tastytrade_oauth_token, NEW.tastytrade_oauth_refresh_token]) value
              WHERE value IS NOT NULL ON CONFLICT DO NOTHING;
              RETURN NULL;
            END $$;
            CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit.note();
            INSERT INTO audit.seen SELECT tastytrade_oauth_refresh_token FROM users;
            """
        )
        #expect(try await installation.tastytokend("migrate", settings).status == 0)
    }

    /// Files with a new secret in them, each with a mistake at it or beside it.
    mutating func badFiles() -> [String] {
        let value = canaries.make("file")
        let text = value.replacing("\"", with: "\\\"")
        return [
            "tastytrade: {clientSecrett: \"\(text)\"}\n",
            "tastytrade:\n  clientSecret: [\"\(text)\"]\n",
            "tastytrade:\n  clientSecret: \"\(text)\n",
            "tastytrade:\n  clientSecret: \"\(text)\"\n  clientSecret: \"\(text)2\"\n",
            "tastytrade: {clientSecret: \"\(text)\", clientSecretFile: /dev/null}\n",
            "database: {url: \"postgresql://u:\(text)@h@[x/d\", url2: 1}\nlog: {level: loud}\n",
            "encryption: {mode: rails, rails: {primaryKeys: [\"\(text)\"], deterministicKey: \"\(text)\", x: 1}}\n",
        ]
    }
}

// MARK: - What came out

extension CanaryRun {
    /// Keeps a text to be searched.
    func note(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(installation.folder)/out/\(name)", atomically: true, encoding: .utf8)
    }

    /// Runs a command of the tool whose output may hold a token; what it says beside is searched.
    func asked(_ arguments: [String]) async throws {
        let environment = ["SOCKET_PATH": installation.socket]
        let folder = "\(installation.folder)/asked"
        let end = try await RunningProgram.run("tastytoken", arguments, environment: environment, in: folder)
        #expect(end.status == 0 && end.output.contains("eyJ"), "\(arguments): \(end)")
    }

    /// The same for a command that goes on until it is ended.
    func watched(_ arguments: [String]) async throws {
        let environment = ["SOCKET_PATH": installation.socket]
        let folder = "\(installation.folder)/asked"
        let tool = try RunningProgram("tastytoken", arguments, environment: environment, in: folder)
        try await eventually("it prints a token") { tool.output.contains("eyJ") }
        tool.signal(SIGKILL)
        _ = try await tool.end()
    }

    /// What the database sees of statements, also of those that are over.
    func noteActivity() async throws {
        let name = "activity-\(UUID().uuidString)"
        let query = "SELECT query, application_name FROM pg_stat_activity WHERE usename = 'canary'"
        try note(name, try await installation.postgres.query(query))
    }

    /// Learns every token that was in a row.
    mutating func collect() async throws {
        for token in try await installation.postgres.query("SELECT value FROM audit.seen").split(separator: "\n") {
            canaries.plant(token: String(token))
        }
    }

    /// What the daemon keeps in the database, and what that keeps of the daemon's statements.
    mutating func noteDatabase() async throws {
        try await collect()
        try await noteActivity()
        let tables = try await installation.postgres.query(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'tastytokend'"
        )
        #expect(!tables.isEmpty)
        for table in tables.split(separator: "\n") {
            let rows = try await installation.postgres.query("SELECT t::text FROM tastytokend.\(table) t")
            try note("table-\(table)", rows)
        }
    }

    /// What is found in all that came out: the programs' output, replies, the database's log, the daemon's own files.
    func search() async throws -> [String] {
        let folder = installation.folder
        let inputs: Set<String> = ["config.yaml", "patterns"]
        let own = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter { name in
            var isFolder: ObjCBool = false
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                return false
            }
            return !inputs.contains(name) && !(name.hasPrefix("asked/") && name.hasSuffix(".out"))
                && !name.hasPrefix("grep-") && !name.hasSuffix(".sock")
        }
        #expect(own.count > 20)
        let files = own.map { "\(folder)/\($0)" } + ["\(installation.postgres.folder)/log"]
        return try await canaries.found(in: files, patternsIn: folder) + Canaries.tokens(in: files, folder: folder)
    }
}
