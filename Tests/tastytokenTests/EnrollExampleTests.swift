// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketServer
import TestSupport
import Testing
import TokenCore

@testable import tastytoken

/// Who connects an account is to hear from the daemon what came of it, and so has to wait longer than that one does.
@Suite struct PatienceTests {
    /// A limit of so many seconds.
    private func limits(_ seconds: Int) -> SocketLimits {
        var limits = SocketLimits()
        limits.allowEnrollment(forCalls: .zero, .milliseconds(seconds * 500))
        return limits
    }

    @Test func theToolWaitsLongerThanTheDaemonWithAnyTimeout() {
        var longest = SocketLimits()
        longest.allowEnrollment(forCalls: .seconds(600), .seconds(15))
        #expect(longest.enrollment < limits(SocketClient.patienceForProofs).enrollment)
        #expect(SocketLimits().enrollment < limits(SocketClient.patienceForChanges).enrollment)
    }

    @Test(.enabled(if: ClientExample.enrollingInRuby.isRunnable))
    func theExampleWaitsLongerThanTheDaemonDoesUsually() async throws {
        let patience = "print Enrollment.new.instance_variable_get(:@answers_within)"
        let words = ["ruby", "-r", ClientExample.enrollingInRuby.path, "-e", patience]
        let end = try await Program.run(words, environment: ["PATH": "/usr/bin:/bin"])
        #expect(SocketLimits().enrollment < limits(try #require(Int(end.output), "\(end)")).enrollment)
    }
}

/// docs/clients/enroll.rb, run as its users would copy it, against a real socket server. It runs where Ruby is installed.
@Suite(.enabled(if: ClientExample.enrollingInRuby.isRunnable), .timeLimit(.minutes(2))) struct EnrollExampleTests {
    private static let back = "http://localhost:3000/tastytrade/oauth/callback?state=state-of-the-double&"

    private struct Setting: Sendable {
        let enrolling = EnrollingDouble()
        let authorizing = AuthorizingDouble()
        let path: String

        /// Runs it with that on its standard input.
        func run(_ arguments: String..., input: String = "") async throws -> Program {
            let file = "\(path).input"
            try input.write(toFile: file, atomically: true, encoding: .utf8)
            return try await ClientExample.enrollingInRuby.run(arguments, at: path, reading: file)
        }

        /// The next call but for looks at a state.
        func next() async -> AuthorizingDouble.Request {
            var request = await authorizing.requests.next()
            while case .pending = request { request = await authorizing.requests.next() }
            return request
        }
    }

    private func with(_ body: (Setting) async throws -> Void) async throws {
        try await ToolFixture.with { fixture in
            let (board, setting) = (BoardDouble(), Setting(path: fixture.path))
            board.report(.sample("42"))
            try await fixture.serving(board, setting.enrolling, setting.authorizing) { try await body(setting) }.get()
        }
    }

    @Test func somebodyIsSentAwayAndConnectedWithWhatCameBack() async throws {
        try await with { setting in
            let begun = try await setting.run("begin", "42")
            let start = setting.authorizing.start
            #expect(begun.output == "\(start.url.reveal())\n\(start.state.reveal())\n", "\(begun.errors)")
            #expect(await setting.next() == .begin(UserID("42"), nil, .socket))
            let finished = try await setting.run("finish", input: "\(Self.back)code=code%2Dcanary\n")
            #expect(finished.output == "active\n", "\(finished.errors)")
            var last = await setting.next()
            // One that a busy machine did not answer in time is asked again (503 with Retry-After).
            while case .begin = last { last = await setting.next() }
            #expect(last == .finish(start.state, .code(Secret("code-canary")), .socket))
        }
    }

    @Test func whoSaidNoIsHandedOverAsThat() async throws {
        try await with { setting in
            setting.authorizing.fail(with: EnrollmentFailure(.grantRefused, "You said no."))
            let run = try await setting.run("finish", input: "\(Self.back)error=access_denied")
            #expect(run.status == 1)
            #expect(run.errors == "grant_refused: You said no.\n")
            let state = setting.authorizing.start.state
            #expect(await setting.next() == .finish(state, .error("access_denied"), .socket))
        }
    }

    @Test func aStateThatIsSpentIsSaidAndNotTriedAgain() async throws {
        try await with { setting in
            setting.authorizing.failLooks(with: EnrollmentFailure(.invalidState, "It was used."))
            let run = try await setting.run("finish", input: "\(Self.back)code=c")
            #expect(run.status == 1)
            #expect(run.errors == "invalid_state: It was used.\n")
        }
    }

    @Test func whatCanGoOnIsAskedAgainAsItWas() async throws {
        try await with { setting in
            let failure = EnrollmentFailure(.unavailable, "Not yet.", retryAfter: .seconds(1))
            setting.authorizing.fail(with: failure)
            async let run = setting.run("finish", input: "\(Self.back)code=c")
            let first = await setting.next()
            setting.authorizing.fail(with: nil)
            #expect(await setting.next() == first)
            let finished = try await run
            #expect(finished.output == "active\n", "\(finished.errors)")
        }
    }

    @Test func anAccountIsDisconnected() async throws {
        try await with { setting in
            let run = try await setting.run("disconnect", "42")
            #expect(run.status == 0, "\(run.errors)")
            #expect(await setting.enrolling.requests.next() == .disconnect(UserID("42")))
        }
    }

    @Test func aDaemonThatIsAwayIsWaitedForNotForEver() async throws {
        try await ToolFixture.with { fixture in
            let run = try await Setting(path: fixture.path).run("begin", "42")
            #expect(run.status == 1)
            #expect(run.errors.contains("no daemon answered at \(fixture.path)"))
        }
    }
}
