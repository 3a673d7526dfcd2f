// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import Testing

/// Ten thousand connections of one user, as a program makes them that never closes any (H22).
@Suite(.enabled(if: geteuid() == 0, "calling as another user takes root"), .timeLimit(.minutes(5)))
struct TenThousandConnectionsTests {
    private static let many = 10_000
    /// What one user may have open.
    private static let mostOfOneUser = 768

    /// Asks as another user than the crowd is.
    private func statusForAnother(_ installation: Installation) async throws -> String {
        let end = try await RunningProgram.run(
            "/usr/bin/setpriv",
            [
                "--reuid=41001", "--regid=41001", "--clear-groups", "curl", "-s", "-m", "30", "-o", "/dev/null", "-w",
                "%{http_code}", "--unix-socket", installation.socket, "http://localhost/v1/users/1/token",
            ],
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        )
        return end.output
    }

    /// This process needs a descriptor for each connection as well.
    private func raiseOwnLimit() throws {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        try #require(getrlimit(resource, &limit) == 0)
        try #require(limit.rlim_max >= Self.many + 500, "this test takes 10,500 descriptors: raise `ulimit -Hn`")
        limit.rlim_cur = limit.rlim_max
        try #require(setrlimit(resource, &limit) == 0)
    }

    /// Comes, is refused but for its share, leaves, and is gone: no more descriptors are open than before. Meanwhile others
    /// are served.
    private func crowd(at installation: Installation, _ view: ProcessView, _ before: Int) async throws {
        let socket = installation.socket
        let crowd = try await onThread { try Crowd(of: Self.many, at: socket) }
        try await eventually("all are refused but those of its share") {
            crowd.refused == Self.many - Self.mostOfOneUser
        }
        #expect(try await statusForAnother(installation) == "200")
        // Now those that are in go to the general way, and take what memory a connection may take.
        crowd.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Field: ")
        #expect(try await statusForAnother(installation) == "200")
        crowd.leave()
        try await eventually("the descriptors are closed") { try view.descriptors() <= before }
        #expect(try SocketProbe.get("/v1/users/1/token", at: socket).status == 200, "there is room for it again")
    }

    @Test func theyShutNobodyElseOutAndLeaveNothingBehind() async throws {
        try raiseOwnLimit()
        let rule = "access:\n  - {uid: 41001, users: [\"1\"], allow: [token]}\n"
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: rule)
            let view = ProcessView(process: daemon.pid)
            _ = try await installation.allTokens(1...1)
            let before = try view.descriptors()
            for _ in 1...2 { try await crowd(at: installation, view, before) }
            let memory = try view.anonymousMemory()
            for _ in 1...6 { try await crowd(at: installation, view, before) }
            // What the allocator keeps of the first crowds does for the next. A leak of 1 KiB for each that was let in, or of
            // 80 bytes for each that was not, would be more than this.
            #expect(try view.anonymousMemory() < memory + 4096, "in KiB")
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.ranges(of: "too many are open").count == 1, "said once")
        }
    }
}
