// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing

/// The simulator knows nothing of the daemon's modules, so its version is written down twice.
@Suite(.timeLimit(.minutes(1))) struct VersionTests {
    @Test func allProgramsTellTheSameVersion() async throws {
        let folder = NSTemporaryDirectory() + "versions-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var versions: [String] = []
        for name in ["tastytokend", "tastytoken", "tastysim"] {
            let end = try await RunningProgram.run(name, ["--version"], in: folder)
            #expect(end.status == 0)
            versions.append(end.output)
        }
        let version = try #require(versions.first)
        #expect(version.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(version)")
        #expect(versions == [version, version, version])
    }
}
