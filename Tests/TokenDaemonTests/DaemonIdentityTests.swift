// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing

@testable import TokenDaemon

@Suite struct DaemonIdentityTests {
    /// Gives a folder of its own to the body, and removes it.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ttd-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func put(_ text: String, in folder: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/daemon-id"))
    }

    @Test func anIdInTheFolderIsTakenUpAgain() throws {
        try withFolder { folder in
            try put(String(repeating: "a1", count: 16) + "\n", in: folder)
            let identity = DaemonIdentity(in: folder)
            #expect(identity.id == String(repeating: "a1", count: 16))
            #expect(identity.reasonItPasses == nil)
        }
    }

    @Test(arguments: ["", "short\n", String(repeating: "z", count: 32) + "\n", String(repeating: "a", count: 33)])
    func whatIsNoIdIsReplacedByOneThatLasts(text: String) throws {
        try withFolder { folder in
            try put(text, in: folder)
            let identity = DaemonIdentity(in: folder) { 0xAB }
            #expect(identity.reasonItPasses == nil)
            #expect(identity.id == "00000000000000ab00000000000000ab")
            #expect(try String(contentsOfFile: "\(folder)/daemon-id", encoding: .utf8) == identity.id + "\n")
        }
    }

    @Test func oneProcessHoldsItAtATime() throws {
        try withFolder { folder in
            let first = DaemonIdentity(in: folder)
            let second = DaemonIdentity(in: folder)
            #expect(first.reasonItPasses == nil)
            #expect(second.reasonItPasses?.contains("another process holds it") == true)
            #expect(first.id != second.id)
        }
    }

    @Test func withoutAFolderItPasses() {
        let identity = DaemonIdentity(in: "/nonexistent/folder")
        #expect(identity.id.count == 32)
        #expect(identity.reasonItPasses?.contains("No such file or directory") == true)
    }
}
