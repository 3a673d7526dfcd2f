// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TestSupport
import Testing

@Suite struct TemporaryPostgresTests {
    private struct Planned: Error {}

    /// The server's process, as its own data tell.
    private func process(of server: TemporaryPostgres) async throws -> pid_t {
        try #require(pid_t(try await server.query("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")))
    }

    /// Whether the process comes to its end. It removes its `postmaster.pid` a moment before, which is what a stop waits for.
    private func ends(_ process: pid_t) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while kill(process, 0) == 0, ContinuousClock.now < deadline { await Task.yield() }
        return kill(process, 0) == -1
    }

    @Test func nothingIsLeftWhenATestThrows() async throws {
        var seen: (folder: String, process: pid_t)?
        await #expect(throws: Planned.self) {
            try await withTemporaryPostgres { server in
                seen = (server.folder, try await process(of: server))
                throw Planned()
            }
        }
        let server = try #require(seen)
        #expect(access(server.folder, F_OK) == -1)
        #expect(await ends(server.process))
    }

    @Test func dataOutliveAStop() async throws {
        try await withTemporaryPostgres(settings: ["work_mem = '5MB'"]) { server in
            try await server.execute("CREATE TABLE kept (x int); INSERT INTO kept VALUES (1), (2)")
            let first = try await process(of: server)
            try await server.stop(mode: .immediate)
            #expect(await ends(first))
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
