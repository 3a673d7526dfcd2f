// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// The daemon's own key, at starts of the daemon as it was built.
@Suite(.serialized, .timeLimit(.minutes(3))) struct LocalKeyFileTests {
    @Test func theFirstStartMakesItTheNextKeepsItAndADamagedOneEndsTheStart() async throws {
        try await Installation.with(accounts: 1) { installation in
            let path = "\(installation.folder)/local-key"
            let first = try await installation.startReadyDaemon()
            #expect(try await installation.stop(first).status == 0)
            let key = try Data(contentsOf: URL(filePath: path))
            #expect(key.count == 32)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let second = try await installation.startReadyDaemon()
            #expect(try await installation.stop(second).status == 0)
            #expect(try Data(contentsOf: URL(filePath: path)) == key)

            try key.dropLast().write(to: URL(filePath: path))
            let end = try await installation.startDaemon().end()
            #expect(end.status == 78)
            #expect(end.errors.contains("local-key has 31 bytes, and a key has 32"), "\(end.errors)")
            let check = try await installation.tastytokend("check")
            #expect(check.status == 78 && check.output.contains("local-key has 31 bytes"), "\(check.output)")
        }
    }

    @Test func withoutAFolderForItTheDaemonServesAndSaysSo() async throws {
        try await Installation.with(accounts: 1) { installation in
            let folder = "\(installation.folder)/missing"
            let daemon = try await installation.startReadyDaemon(["STATE_DIRECTORY": folder])
            let log = try await installation.stop(daemon).errors
            #expect(log.contains("daemon has no lasting key"))
        }
    }
}
