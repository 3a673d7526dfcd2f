// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing
import TokenSimulator

/// A program that should read the daemon's log, and does not any more, costs the log its lines and nobody a token.
@Suite(.timeLimit(.minutes(3))) struct LogReaderTests {
    private static let users = 1...40
    /// A pipe stands in for the standard error. The shell keeps it open for reading, so that it fills and does not break.
    private static let ontoPipe = ["/bin/sh", "-c", "mkfifo log && exec 3<>log && exec \"$0\" \"$@\" 2>&3"]

    /// What waits in the pipe to be read, in bytes.
    private func unread(_ pipe: Int32) -> Int32 {
        var count: Int32 = 0
        return ioctl(pipe, UInt(FIONREAD), &count) == 0 ? count : 0
    }

    @Test func refreshesGoOnCallersAreAnsweredAndAStopEndsWhileNobodyReadsTheLog() async throws {
        let settings = ["LOG_LEVEL": "trace", "REFRESH_MAX_PER_SECOND": "200"]
        try await Installation.with(accounts: Self.users.count, lifetime: .seconds(8), settings: settings) {
            installation in
            let daemon = try installation.startDaemon(under: Self.ontoPipe)
            try await eventually("everybody has a token") { (try? installation.tokens(of: Self.users)) != nil }
            let log = open("\(installation.folder)/log", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(log) }
            // A pipe takes 64 KiB, and what comes in one piece has to fit.
            try await eventually("it is full") { unread(log) > 60 * 1024 }
            for round in 1...3 {
                try await installation.everybodyIsRefreshed(Self.users, "round \(round) is made")
            }
            #expect(try SocketProbe.get("/readyz", at: installation.socket).status == 200)
            #expect(unread(log) > 60 * 1024, "nobody read any of it")
            daemon.signal(SIGTERM)
            let end = try await daemon.end(within: 30)
            #expect(end.status == 0)
            installation.expectNothingLost()
        }
    }
}
