// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct ListeningSocketTests {
    @Test(arguments: [0o600, 0o660, 0o666] as [UInt32])
    func theFileHasTheModeAskedForWhateverTheUmask(mode: UInt32) async throws {
        try await SocketFixture.with(mode: mode) { fixture in
            var status = stat()
            #expect(lstat(fixture.path, &status) == 0)
            #expect(status.st_mode & 0o7777 == mode)
        }
    }

    @Test func aMissingFolderIsSaid() {
        let path = "/nonexistent-\(UInt32.random(in: 0 ... .max))/api.sock"
        let error = #expect(throws: SocketServerError.self) {
            _ = try ListeningSocket.open(.path(path, mode: 0o660, group: nil), backlog: 1)
        }
        #expect(error == .noFolder(path: path))
    }

    @Test func theFileHasTheGroupAskedFor() async throws {
        try #require(geteuid() == 0)
        try await SocketFixture.with(isStarted: false) { fixture in
            try await fixture.server.start(at: .path(fixture.path, mode: 0o660, group: 65534))
            var status = stat()
            #expect(lstat(fixture.path, &status) == 0)
            #expect(status.st_gid == 65534)
        }
    }

    @Test func aStaleFileIsReplaced() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let dead = try bound(fixture.path)
            close(dead)
            try await fixture.server.start(at: .path(fixture.path, mode: 0o600, group: nil))
            #expect(try await fixture.connect().get("/healthz").status == 200)
        }
    }

    @Test func aLiveSocketIsLeftAlone() async throws {
        try await SocketFixture.with { fixture in
            let second = SocketFixture.server(fixture.board)
            await #expect(throws: SocketServerError.inUse(path: fixture.path)) {
                try await second.start(at: .path(fixture.path, mode: 0o600, group: nil))
            }
            let reply = try await fixture.connect().get("/healthz")
            #expect(reply.status == 200)
        }
    }

    @Test func whoMayReadTheFolderCannotKeepTheDaemonFromStarting() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let folder = open(fixture.folder, O_RDONLY)
            defer { close(folder) }
            #expect(flock(folder, LOCK_EX) == 0)
            try await fixture.server.start(at: .path(fixture.path, mode: 0o600, group: nil))
            #expect(try await fixture.connect().get("/healthz").status == 200)
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder) == ["api.sock"])
        }
    }

    @Test func aDaemonThatIsStartingThereIsNotDisturbed() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let lock = try StartLock(for: fixture.path)
            await #expect(throws: SocketServerError.inUse(path: fixture.path)) {
                try await fixture.server.start(at: .path(fixture.path, mode: 0o600, group: nil))
            }
            lock.release()
            let again = try StartLock(for: fixture.path)
            again.release()
        }
    }

    @Test func whatIsNoSocketIsLeftAlone() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            #expect(FileManager.default.createFile(atPath: fixture.path, contents: Data("mine".utf8)))
            await #expect(throws: SocketServerError.notASocket(path: fixture.path)) {
                try await fixture.server.start(at: .path(fixture.path, mode: 0o600, group: nil))
            }
            #expect(FileManager.default.contents(atPath: fixture.path) == Data("mine".utf8))
        }
    }

    @Test func aPathThatDoesNotFitIsSaid() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let path = fixture.folder + "/" + String(repeating: "x", count: 107 - fixture.folder.utf8.count)
            await #expect(throws: SocketServerError.pathTooLong(path: path, bytes: 108)) {
                try await fixture.server.start(at: .path(path, mode: 0o600, group: nil))
            }
            let fits = SocketFixture.server(fixture.board)
            try await fits.start(at: .path(String(path.dropLast()), mode: 0o600, group: nil))
            await fits.stop(within: .zero)
        }
    }

    @Test func aFolderThatIsNotThereIsSaid() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            await #expect(throws: SocketServerError.self) {
                try await fixture.server.start(at: .path(fixture.folder + "/none/api.sock", mode: 0o600, group: nil))
            }
        }
    }

    @Test func aFileThatSomebodyElsePutThereIsNotRemovedAtStop() async throws {
        try await SocketFixture.with { fixture in
            try FileManager.default.removeItem(atPath: fixture.path)
            let successor = SocketFixture.server(fixture.board)
            try await successor.start(at: .path(fixture.path, mode: 0o600, group: nil))
            await fixture.server.stop(within: .zero)
            #expect(try await fixture.connect().get("/healthz").status == 200)
            await successor.stop(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: fixture.path))
        }
    }

    @Test func anInheritedDescriptorIsServedAndItsFileKept() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let descriptor = try bound(fixture.path)
            #expect(listen(descriptor, 8) == 0)
            fixture.publish()
            try await fixture.server.start(at: .inherited(descriptor))
            #expect(try await fixture.connect().get("/v1/users/42/token").status == 200)
            await fixture.server.stop(within: .zero)
            #expect(FileManager.default.fileExists(atPath: fixture.path))
        }
    }

    @Test func aDescriptorThatIsNoListeningUnixSocketIsRefused() async throws {
        try await SocketFixture.with(isStarted: false) { fixture in
            let deaf = try bound(fixture.path)
            let datagram = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            let internet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let file = open("/dev/null", O_RDONLY)
            for descriptor in [deaf, datagram, internet, file] {
                await #expect(throws: SocketServerError.self) {
                    try await SocketFixture.server(fixture.board).start(at: .inherited(descriptor))
                }
                // It is still open, and still its owner's.
                #expect(close(descriptor) == 0)
            }
        }
    }

    private func bound(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        let result = try UnixAddress(path).withPointer { bind(descriptor, $0, $1) }
        try #require(result == 0)
        return descriptor
    }
}
