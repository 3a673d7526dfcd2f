// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// What is in the daemon's memory is not for others of its user, and is not left behind by a crash.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MemoryPrivacyTests {
    /// Has a program run as this user and with nothing that root has besides: what is in its way then is in the way of
    /// every process of the daemon's user. Who is not root has nothing besides already.
    private static let plainly: [String] =
        geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] : []

    private func start(_ command: [String], _ environment: [String: String], in folder: String) throws -> RunningProgram
    {
        let words = Self.plainly + command
        return try RunningProgram(words[0], Array(words.dropFirst()), environment: environment, in: folder)
    }

    private func canRead(_ file: String, of process: Int32, in folder: String) async throws -> Bool {
        // A byte is enough. Of memory, the first page that is there would have to be looked for: opening it is the test.
        let command = ["/bin/sh", "-c", "exec 3<\"$0\"", "/proc/\(process)/\(file)"]
        return try await start(command, ["PATH": "/usr/bin:/bin"], in: folder).end().status == 0
    }

    @Test(arguments: [SIGABRT, SIGSEGV]) func h31ACrashLeavesNothingAndOthersReadNothing(
        number: Int32
    ) async throws {
        try await Installation.with(accounts: 1) { installation in
            let folder = installation.folder
            let program = try RunningProgram.built("tastytokend").path
            // As many cores as anybody might have allowed.
            let command = ["/bin/sh", "-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" run", program]
            let daemon = try start(command, installation.daemonEnvironment(), in: folder)
            try await eventually("the token is there; it said: \(daemon.errors)") {
                (try? SocketProbe.get("/v1/users/1/token", at: installation.socket).status) == 200
            }
            let sleeper = try start(["/bin/sleep", "600"], [:], in: folder)
            for file in ["mem", "environ", "maps", "auxv"] {
                #expect(try await canRead(file, of: sleeper.pid, in: folder), "the test can tell: \(file)")
                #expect(try await !canRead(file, of: daemon.pid, in: folder), "\(file)")
            }
            let limits = try String(contentsOfFile: "/proc/\(daemon.pid)/limits", encoding: .utf8)
            #expect(limits.contains(#/Max core file size +0 +0 /#))
            let before = daemon.errors
            daemon.signal(number)
            let end = try await daemon.end()
            #expect(end.status == -number)
            // A record may have been on its way; a backtrace would be no record.
            let last = end.errors.dropFirst(before.count).split(separator: "\n")
            #expect(last.allSatisfy { $0.hasPrefix("{") }, "nothing is printed of what was in memory")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!left.contains { $0.contains("core") }, "\(left)")
            sleeper.signal(SIGKILL)
            #expect(try await sleeper.end().status == -SIGKILL)
        }
    }
}
