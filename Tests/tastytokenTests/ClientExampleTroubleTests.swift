// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// What the clients in docs/clients do without a daemon, without a right to its socket, and without an argument.
@Suite struct ClientExampleTroubleTests {
    @Test(arguments: ClientExample.runnable)
    func aDaemonThatRestartsIsWaitedFor(client: ClientExample) async throws {
        try await ToolFixture.with { fixture in
            let path = fixture.path
            async let patient = client.run("42", at: path)
            // Started later, it gives up at its second look: by then the other has found no socket either.
            let hasty = try await client.run("42", at: path, patience: 1)
            #expect(hasty.status != 0)
            let isFirst = Mutex(true)
            let server = try ScriptedServer(at: path) { request in
                let hangsUp = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                return hangsUp ? nil : Self.token(request)
            }
            let run = try await patient
            #expect(run.output == "one\n", "\(run.errors)")
            #expect(run.status == 0)
            #expect(server.requests.count == 2)
        }
    }

    @Test(arguments: ClientExample.runnable)
    func aDaemonThatStaysAwayIsASentence(client: ClientExample) async throws {
        try await ToolFixture.with { fixture in
            let run = try await client.run("42", at: fixture.path, patience: 1)
            #expect(run.status != 0)
            #expect(run.output == "")
            #expect(
                run.errors.hasPrefix("\(client.file): no daemon answered at \(fixture.path) for 1 s"),
                "\(run.errors)"
            )
        }
    }

    @Test(arguments: ClientExample.runnable)
    func aSocketThatMayNotBeOpenedIsNotWaitedFor(client: ClientExample) async throws {
        try #require(geteuid() == 0, "run as root, so that another user can be taken on")
        try await ToolFixture.with { fixture in
            let server = try ScriptedServer(at: fixture.path) { _ in ScriptedServer.token("one") }
            let folder = URL(fileURLWithPath: fixture.path).deletingLastPathComponent().path
            for (folderMode, socketMode) in [(0o700, 0o666), (0o755, 0o600)] as [(mode_t, mode_t)] {
                chmod(folder, folderMode)
                chmod(fixture.path, socketMode)
                // An interpreter in a folder of root's own is none for others.
                let nobody = [
                    "env", "PATH=/usr/bin:/bin", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                ]
                let run = try await client.run("42", at: fixture.path, by: nobody)
                #expect(run.status != 0)
                #expect(run.output == "")
                #expect(
                    run.errors.hasPrefix("\(client.file): user id 65534 may not open \(fixture.path)"),
                    "\(run.errors)"
                )
            }
            #expect(server.requests.count == 0)
        }
    }

    @Test(arguments: ClientExample.runnable)
    func withoutAUserItTellsItsUsage(client: ClientExample) async throws {
        try await ToolFixture.with { fixture in
            for run in [
                try await client.run(at: fixture.path), try await client.run("", at: fixture.path),
                try await client.run("1", "1", "1", at: fixture.path),
            ] {
                #expect(run.status == 64)
                #expect(run.output == "")
                #expect(run.errors == "usage: \(client.file) USER [TIMES]\n")
            }
        }
    }

    /// The token `one`, in the form that was asked for.
    private static func token(_ request: ScriptedServer.Request) -> String {
        request.fields["accept"] == "text/plain"
            ? ScriptedServer.reply(200, "one", ["ETag: \"one\""]) : ScriptedServer.token("one")
    }
}
