// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// Streams that take no words: a full disk, or none at all. They change nothing of what is done, and end no program badly.
@Suite(.timeLimit(.minutes(2))) struct BrokenStreamTests {
    private func run(_ command: String, in folder: String) async throws -> RunningProgram.End {
        let program = try RunningProgram.built("tastytokend").path
        return try await RunningProgram("/bin/sh", ["-c", command, program], environment: [:], in: folder).end()
    }

    @Test(
        arguments: [
            ("\"$0\" keygen keys.json >/dev/full", 71), ("\"$0\" keygen keys.json >&-", 71),
            ("\"$0\" keygen keys.json >/dev/full 2>/dev/full", 71),
            ("\"$0\" run --config bad.yaml 2>/dev/full", 78), ("\"$0\" run --config bad.yaml >&- 2>&-", 78),
            ("\"$0\" reseal --config bad.yaml 2>/dev/full", 78), ("\"$0\" migrate --config bad.yaml 2>/dev/full", 78),
            ("\"$0\" check --config bad.yaml >/dev/full", 71),
        ] as [(String, Int32)]
    )
    func theStatusSaysWhatHappened(_ command: String, _ status: Int32) async throws {
        let folder = try makeTemporaryFolder(for: "streams")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "databse: {}\n".write(toFile: "\(folder)/bad.yaml", atomically: true, encoding: .utf8)
        let end = try await run(command, in: folder)
        #expect(end.status == status, "\(end.errors)")
        if command.contains("keygen") {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/keys.json"), "the key is there all the same")
        }
    }
}
