// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

@testable import TokenDaemon

/// The file that `tastytokend keygen` adds keys to.
@Suite struct KeyFileTests {
    private func with(_ body: (String) async throws -> Void) async throws {
        let folder = try makeTemporaryFolder(for: "keys")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func ids(_ path: String) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        let keys = try #require((object as? [String: Any])?["keys"] as? [[String: Any]])
        return keys.compactMap { $0["kid"] as? String }
    }

    @Test func nothingIsLostWhereSeveralAddAKeyAtOnce() async throws {
        try await with { (folder: String) async throws in
            let path = "\(folder)/keys.json"
            let added = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<40 { group.addTask { try? KeyFile(path).addKey() } }
                return await group.reduce(into: [String]()) { $0 += [$1].compactMap(\.self) }
            }
            #expect(!added.isEmpty)
            #expect(try Set(ids(path)) == Set(added), "who was told of a key has it")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys.json"])
        }
    }

    @Test func aLinkStaysALinkAndWhereItLeadsTheKeyIs() async throws {
        try await with { folder in
            let (target, link) = ("\(folder)/target.json", "\(folder)/link.json")
            let first = try KeyFile(target).addKey()
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
            let second = try KeyFile(link).addKey()
            #expect(try ids(target) == [second, first])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
        }
    }

    @Test func aFileThatIsNoSetIsLeftAsItIs() async throws {
        try await with { folder in
            let path = "\(folder)/keys.json"
            try Data("not JSON".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: DaemonFailure.self) { try KeyFile(path).addKey() }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "not JSON")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys.json"])
        }
    }

    @Test func aDraftThatWasLeftBehindIsTold() async throws {
        try await with { folder in
            let path = "\(folder)/keys.json"
            try Data().write(to: URL(fileURLWithPath: path + ".new"))
            let failure = #expect(throws: DaemonFailure.self) { try KeyFile(path).addKey() }
            #expect(failure?.exitStatus == 75)
            #expect(FileManager.default.fileExists(atPath: path + ".new"))
        }
    }
}
