// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

@testable import SocketServer

/// What is said of the place of a socket, looked at from outside.
@Suite struct SocketSiteTests {
    @Test func aRunningDaemonIsKnownAndLeftAlone() async throws {
        try await SocketFixture.with { fixture in
            for _ in 0..<2 { #expect(SocketSite.look(at: fixture.path, forMilliseconds: 5_000) == .daemon) }
            let client = try await fixture.connect()
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test func aDaemonThatIsFullIsStillOne() async throws {
        var limits = SocketLimits()
        limits.connections = 1
        try await SocketFixture.with(limits: limits) { fixture in
            let client = try await fixture.connect()
            #expect(try await client.get("/healthz").status == 200)
            #expect(SocketSite.look(at: fixture.path, forMilliseconds: 5_000) == .full)
        }
    }

    @Test func whatAnotherLeftOrHoldsIsToldApart() throws {
        let folder = try makeTemporaryFolder(for: "site")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/api.sock"
        func site(_ path: String) -> SocketSite { SocketSite.look(at: path, forMilliseconds: 50) }
        #expect(site(path) == .free)
        #expect(site("\(folder)/none/api.sock") == .noFolder)
        #expect(site(folder) == .notASocket)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(try UnixAddress(path).withPointer { bind(listener, $0, $1) } == 0)
        try #require(listen(listener, 1) == 0)
        #expect(site(path) == .stranger, "it listens, and never answers")
        close(listener)
        #expect(site(path) == .stale)
        #expect(FileManager.default.fileExists(atPath: path), "nothing is removed")
    }
}
