// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// The socket's file, and its folder, taken away from a daemon that runs (H25).
@Suite(.serialized, .timeLimit(.minutes(5))) struct SocketFileTests {
    private struct Site {
        let installation: Installation
        let daemon: RunningProgram
        let folder: String
        var path: String { folder + "/api.sock" }

        func answers() -> Bool { (try? SocketProbe.get("/healthz", at: path).status) == 200 }
        func lines(_ text: String) -> Int { daemon.errors.ranges(of: text).count }
    }

    private let cannot = "cannot be made anew"
    private let anew = "was made anew"

    /// A daemon at a socket in a folder of its own; its heart beats twice a second.
    private func atSite(_ body: (Site) async throws -> Void) async throws {
        try await Installation.with(accounts: 1) { installation in
            let folder = installation.folder + "/run"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let settings = ["SOCKET_PATH": folder + "/api.sock", "SOCKET_MODE": "0622", "WATCHDOG_USEC": "2000000"]
            let site = Site(installation: installation, daemon: try installation.startDaemon(settings), folder: folder)
            try await eventually("the daemon answers; it said: \(site.daemon.errors)") { site.answers() }
            try await body(site)
            #expect(try await installation.stop(site.daemon).status == 0)
        }
    }

    /// A socket that is put in the place of the daemon's in one step, so that the path is never free.
    private func replace(_ site: Site, listens: Bool) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let other = site.folder + "/other"
        try #require(withUnixAddress(other) { bind(descriptor, $0, $1) } == 0)
        if listens { try #require(listen(descriptor, 8) == 0) }
        try #require(rename(other, site.path) == 0)
        return descriptor
    }

    @Test func aRemovedOrReplacedFileIsMadeAnewAndNobodyIsCutOff() async throws {
        try await atSite { site in
            let early = try KeptProbe(at: site.path)
            #expect(try early.status(of: "/healthz") == 200)
            try FileManager.default.removeItem(atPath: site.path)
            try await eventually("it was made anew") { site.answers() }
            let attributes = try FileManager.default.attributesOfItem(atPath: site.path)
            #expect(attributes[.posixPermissions] as? Int == 0o622)
            #expect(site.lines(anew) == 1)

            close(try replace(site, listens: false))
            try await eventually("it was made anew") { site.answers() }
            #expect(site.lines(anew) == 2 && site.lines(cannot) == 0)
            #expect(try early.status(of: "/healthz") == 200, "who is connected is served")
        }
    }

    @Test func aLiveSocketIsLeftAloneUntilItEnds() async throws {
        try await atSite { site in
            let early = try KeptProbe(at: site.path)
            let other = try replace(site, listens: true)
            try await eventually("it says so") { site.lines(cannot) == 1 }
            // Another look or two, at a time that only the daemon knows.
            try await Task.sleep(for: .seconds(3))
            #expect(site.lines(cannot) == 1 && site.lines(anew) == 0, "said once")
            #expect(
                withUnixAddress(site.path) { connect(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), $0, $1) } == 0
            )
            #expect(try early.status(of: "/healthz") == 200)
            close(other)
            try await eventually("it was made anew") { site.answers() }
        }
    }

    @Test func aFolderThatIsGoneAndComesBackHasTheSocketAgain() async throws {
        try await atSite { site in
            let early = try KeptProbe(at: site.path)
            try FileManager.default.removeItem(atPath: site.folder)
            try await eventually("it says so") { site.lines(cannot) == 1 }
            try await Task.sleep(for: .seconds(3))
            #expect(site.lines("there is no folder for the socket") == 1, "said once")
            #expect(try early.status(of: "/healthz") == 200)
            try FileManager.default.createDirectory(atPath: site.folder, withIntermediateDirectories: false)
            try await eventually("it was made anew") { site.answers() }
            #expect(try early.status(of: "/healthz") == 200)
        }
    }
}
