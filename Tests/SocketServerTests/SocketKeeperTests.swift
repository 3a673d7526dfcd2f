// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import SocketServer

/// A socket whose file goes away under the daemon (H25).
@Suite struct SocketKeeperTests {
    /// A keeper of a socket at the path, and what it logs.
    private struct Kept {
        let place: SocketPlace
        let log = InMemoryLogHandler()
        private(set) var descriptor: Int32
        private var keeper: SocketKeeper

        init(_ place: SocketPlace) throws {
            self.place = place
            let socket = try ListeningSocket.open(place, backlog: 8)
            descriptor = socket.descriptor
            let logger = Logger(label: "test") { [log] _ in log }
            keeper = SocketKeeper(place, socket, backlog: 8, logger: logger)
        }

        /// Looks, and gives whether the socket was made anew.
        mutating func look() -> Bool {
            guard let new = keeper.look() else { return false }
            close(descriptor)
            descriptor = new
            return true
        }

        mutating func end() {
            keeper.end()
            close(descriptor)
        }

        var messages: [String] { log.entries.map { "\($0.message)" } }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = try makeTemporaryFolder(for: "socket")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func listener(at path: String, listens: Bool) throws -> Int32 {
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        try #require(try UnixAddress(path).withPointer { bind(descriptor, $0, $1) } == 0)
        if listens { try #require(listen(descriptor, 8) == 0) }
        return descriptor
    }

    private func canConnect(_ path: String) throws -> Bool {
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        defer { close(descriptor) }
        return try UnixAddress(path).withPointer { connect(descriptor, $0, $1) } == 0
    }

    private let cannot = "socket was removed or replaced, and cannot be made anew"
    private let anew = "socket was removed or replaced, and was made anew"

    @Test func whatIsInPlaceIsLeftAlone() throws {
        try withFolder { folder in
            var kept = try Kept(.path(folder + "/s", mode: 0o600, group: nil))
            for _ in 1...3 {
                let isNew = kept.look()
                #expect(!isNew)
            }
            kept.end()
            #expect(kept.messages == [])
            #expect(!FileManager.default.fileExists(atPath: folder + "/s"))
        }
    }

    @Test func aRemovedFileIsMadeAnewWithItsModeAndRemovedInTheEnd() throws {
        try withFolder { folder in
            let path = folder + "/s"
            var kept = try Kept(.path(path, mode: 0o622, group: nil))
            for _ in 1...2 {
                try #require(unlink(path) == 0)
                let isNew = kept.look()
                #expect(isNew)
                var status = stat()
                #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o622)
                #expect(try canConnect(path))
            }
            #expect(kept.messages == [anew, anew])
            kept.end()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func whatADeadProcessPutThereIsReplaced() throws {
        try withFolder { folder in
            let path = folder + "/s"
            var kept = try Kept(.path(path, mode: 0o600, group: nil))
            close(try listener(at: folder + "/dead", listens: true))
            try #require(rename(folder + "/dead", path) == 0)
            let isNew = kept.look()
            #expect(try isNew && canConnect(path))
            kept.end()
        }
    }

    @Test func aLiveSocketOfSomebodyElseIsLeftAloneUntilItEnds() throws {
        try withFolder { folder in
            let path = folder + "/s"
            var kept = try Kept(.path(path, mode: 0o600, group: nil))
            let other = try listener(at: folder + "/other", listens: true)
            try #require(rename(folder + "/other", path) == 0)
            let theirs = try SocketFile(at: path)
            for _ in 1...3 {
                let isNew = kept.look()
                #expect(!isNew && theirs.isInPlace)
            }
            #expect(kept.messages == [cannot], "said once")
            close(other)
            let isNew = kept.look()
            #expect(try isNew && canConnect(path))
            #expect(kept.messages == [cannot, anew])
            kept.end()
        }
    }

    @Test func anotherDaemonsFileIsNotRemovedInTheEnd() throws {
        try withFolder { folder in
            let path = folder + "/s"
            var kept = try Kept(.path(path, mode: 0o600, group: nil))
            let other = try listener(at: folder + "/other", listens: true)
            defer { close(other) }
            try #require(rename(folder + "/other", path) == 0)
            _ = kept.look()
            kept.end()
            #expect(try canConnect(path))
        }
    }

    @Test func whatIsNoSocketIsLeftAlone() throws {
        try withFolder { folder in
            let path = folder + "/s"
            var kept = try Kept(.path(path, mode: 0o600, group: nil))
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            let isNew = kept.look()
            #expect(!isNew && FileManager.default.contents(atPath: path) == Data("mine".utf8))
            kept.end()
            #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
        }
    }

    @Test func aFolderThatIsGoneIsSaidOnceAndWaitedFor() throws {
        try withFolder { folder in
            let path = folder + "/run/s"
            try FileManager.default.createDirectory(atPath: folder + "/run", withIntermediateDirectories: false)
            var kept = try Kept(.path(path, mode: 0o600, group: nil))
            for _ in 1...2 {
                try FileManager.default.removeItem(atPath: folder + "/run")
                for _ in 1...3 {
                    let isNew = kept.look()
                    #expect(!isNew)
                }
                try FileManager.default.createDirectory(atPath: folder + "/run", withIntermediateDirectories: false)
                let isNew = kept.look()
                #expect(try isNew && canConnect(path))
            }
            #expect(kept.messages == [cannot, anew, cannot, anew])
            kept.end()
        }
    }

    @Test func aPassedSocketIsNeverTouched() throws {
        try withFolder { folder in
            let path = folder + "/s"
            let passed = try listener(at: path, listens: true)
            var kept = try Kept(.inherited(passed))
            var isNew = kept.look()
            #expect(!isNew && kept.messages == [])
            try #require(unlink(path) == 0)
            for _ in 1...3 {
                isNew = kept.look()
                #expect(!isNew)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(kept.messages.count == 1 && kept.messages[0].contains("the service manager's"))
            let theirs = try listener(at: path, listens: false)
            kept.end()
            #expect(FileManager.default.fileExists(atPath: path), "nor in the end")
            close(theirs)
        }
    }

    @Test func whoIsConnectedAndWhoWaitsOutsideStay() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let early = try await fixture.connect()
            #expect(try await early.get("/v1/users/42/token").status == 200)
            // Accepted or not by the time the old descriptor is closed.
            let waiting = try await fixture.connect()
            try FileManager.default.removeItem(atPath: fixture.path)
            await fixture.server.lookAfterFile()
            #expect(try await fixture.connect().get("/v1/users/42/token").status == 200)
            #expect(try await early.get("/v1/users/42/token").status == 200)
            #expect(try await waiting.get("/v1/users/42/token").status == 200)
            await fixture.server.stop(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: fixture.path))
        }
    }
}
