// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

@Suite struct TemporaryPostgresTests {
    private struct Planned: Error {}

    /// The server's process, as its own data tell.
    private func process(of server: TemporaryPostgres) async throws -> pid_t {
        try #require(pid_t(try await server.query("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")))
    }

    /// Comes back when the process has ended; pg_ctl is content a little earlier. A process that nobody has collected yet
    /// has no command line any more.
    private func end(of process: pid_t) async {
        while (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8))?.isEmpty == false {
            await Task.yield()
        }
    }

    @Test(.timeLimit(.minutes(5))) func nothingIsLeftWhenATestThrows() async throws {
        var seen: (folder: String, process: pid_t)?
        await #expect(throws: Planned.self) {
            try await withTemporaryPostgres { server in
                seen = (server.folder, try await process(of: server))
                throw Planned()
            }
        }
        let server = try #require(seen)
        #expect(access(server.folder, F_OK) == -1)
        await end(of: server.process)
    }

    @Test(.timeLimit(.minutes(5))) func dataOutliveAStop() async throws {
        try await withTemporaryPostgres(settings: ["work_mem = '5MB'"]) { server in
            try await server.execute("CREATE TABLE kept (x int); INSERT INTO kept VALUES (1), (2)")
            let first = try await process(of: server)
            try await server.stop(mode: .immediate)
            await end(of: first)
            try await server.start()
            #expect(
                try await server.query("SELECT x, current_setting('work_mem') FROM kept ORDER BY x") == "1|5MB\n2|5MB"
            )
        }
    }

    @Test func aStoppedServerIsRemovedToo() async throws {
        let server = try await TemporaryPostgres.start()
        try await server.stop()
        await server.tearDown()
        await server.tearDown()
        #expect(access(server.folder, F_OK) == -1)
    }

    @Test func wrongSQLThrowsWithWhatTheServerSaid() async throws {
        let database = try await TestDatabase(setUp: "")
        let error = await #expect(throws: (any Error).self) { try await database.execute("SELECT nonsense") }
        #expect("\(error.map { "\($0)" } ?? "")".contains("\"nonsense\" does not exist"))
    }
}
