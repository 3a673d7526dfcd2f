// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing
import TokenCipher

@testable import TokenDaemon

/// The key of a daemon's own, and its file.
@Suite struct LocalKeyTests {
    /// Gives a folder of its own to the body, and removes it.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ttd-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func put(_ bytes: [UInt8], mode: mode_t = 0o600, in folder: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(folder)/local-key"))
        chmod("\(folder)/local-key", mode)
    }

    private func bytes(in folder: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(folder)/local-key")))
    }

    private func refusal(in folder: String) -> DaemonFailure? {
        do {
            _ = try LocalKey(in: folder)
            return nil
        } catch {
            return error
        }
    }

    @Test func theFirstStartMakesItForItsOwnerAloneAndTheNextTakesItUp() throws {
        try withFolder { folder in
            var number: UInt64 = 0
            let first = try LocalKey(in: folder) {
                number += 1
                return number
            }
            #expect(first.reasonItPasses == nil)
            #expect(try bytes(in: folder) == (1...32).map { UInt8($0) }, "32 bytes as they are")
            var status = stat()
            #expect(
                stat("\(folder)/local-key", &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_nlink == 1
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["local-key"], "no draft is left")
            let second = try LocalKey(in: folder) { 9 }
            #expect(try bytes(in: folder) == (1...32).map { UInt8($0) })
            let sealed = try #require(first.seal(for: "test").seal([1, 2, 3]))
            #expect(try second.seal(for: "test").open(sealed) == [1, 2, 3])
        }
    }

    @Test func twoKeysAreNotTheSame() throws {
        try withFolder { one in
            try withFolder { other in
                _ = try LocalKey(in: one)
                _ = try LocalKey(in: other)
                #expect(try bytes(in: one) != bytes(in: other))
            }
        }
    }

    @Test func aKeyThatAnotherProcessMadeMeanwhileCountsForBoth() throws {
        try withFolder { folder in
            let theirs = [UInt8](repeating: 5, count: 32)
            let first = try LocalKey(in: folder) {
                // After the look that found none, before the file gets its name.
                if !FileManager.default.fileExists(atPath: "\(folder)/local-key") { try? put(theirs, in: folder) }
                return 9
            }
            #expect(try bytes(in: folder) == theirs)
            let sealed = try #require(first.seal(for: "test").seal([1]))
            #expect(try LocalKey(in: folder).seal(for: "test").open(sealed) == [1])
        }
    }

    @Test(arguments: [0, 31, 33, 4096]) func anotherLengthIsRefusedAndNotReplaced(count: Int) throws {
        try withFolder { folder in
            try put([UInt8](repeating: 1, count: count), in: folder)
            let failure = try #require(refusal(in: folder))
            #expect(failure.exitStatus == 78)
            #expect(failure.description.hasPrefix("\(folder)/local-key has \(count) bytes, and a key has 32: put"))
            #expect(try bytes(in: folder).count == count)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o666, 0o620] as [mode_t]) func oneThatOthersGetAtIsRefused(
        mode: mode_t
    ) throws {
        try withFolder { folder in
            try put([UInt8](repeating: 1, count: 32), mode: mode, in: folder)
            let failure = try #require(refusal(in: folder))
            #expect(failure.exitStatus == 78)
            #expect(failure.description.contains("has mode 0\(String(mode, radix: 8)), so that others"))
            chmod("\(folder)/local-key", 0o400)
            #expect(try LocalKey(in: folder).reasonItPasses == nil, "its owner need not be able to write it")
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/local-key", withIntermediateDirectories: false)
            #expect(refusal(in: folder)?.description.contains("is no regular file") == true)
            rmdir("\(folder)/local-key")
            try put([UInt8](repeating: 1, count: 32), in: folder)
            rename("\(folder)/local-key", "\(folder)/elsewhere")
            symlink("elsewhere", "\(folder)/local-key")
            #expect(refusal(in: folder)?.description.contains("cannot be read") == true, "a link leads anywhere")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "giving a file away takes root")) func anotherOwnersIsRefused() throws {
        try withFolder { folder in
            try put([UInt8](repeating: 1, count: 32), in: folder)
            chown("\(folder)/local-key", 4242, 4242)
            #expect(
                refusal(in: folder)?.description.contains("belongs to user 4242, and the daemon is user 0") == true
            )
        }
    }

    @Test func withoutAFolderItPasses() throws {
        let key = try LocalKey(in: "/nonexistent/folder")
        #expect(key.reasonItPasses?.contains("No such file or directory") == true)
        let sealed = try #require(key.seal(for: "test").seal([1]))
        #expect(try key.seal(for: "test").open(sealed) == [1])
    }

    @Test func checkFindsTheSame() throws {
        try withFolder { folder in
            #expect(LocalKeyFile(in: folder).fault == nil)
            try put([1], in: folder)
            #expect(LocalKeyFile(in: folder).fault?.description.contains("has 1 bytes") == true)
        }
    }
}
