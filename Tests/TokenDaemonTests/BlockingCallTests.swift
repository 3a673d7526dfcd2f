// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Testing

@testable import TokenDaemon

@Suite(.timeLimit(.minutes(1))) struct BlockingCallTests {
    private let call = BlockingCall(name: "test")
    private let gate = DispatchSemaphore(value: 0)

    private func hang() async {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        Task { [call, gate] in
            await call.run(within: .seconds(600)) {
                continuation.finish()
                gate.wait()
            }
        }
        for await _ in begun {}
    }

    @Test func whatTheCallGivesIsGiven() async {
        #expect(await call.run(within: .seconds(60)) { 7 } == 7)
    }

    @Test func whoWaitsBehindACallThatHangsIsAnsweredAtTheLimit() async {
        await hang()
        #expect(await call.run(within: .milliseconds(1)) { 7 } == nil)
        gate.signal()
        #expect(await call.run(within: .seconds(60)) { 8 } == 8)
    }

    @Test func whoIsCancelledIsAnsweredAtOnceThoughTheCallHangs() async {
        await hang()
        let waiting = Task { [call] in await call.run(within: .seconds(600)) { 7 } }
        waiting.cancel()
        #expect(await waiting.value == nil)
        let late = Task { [call] in
            withUnsafeCurrentTask { $0?.cancel() }
            return await call.run(within: .seconds(600)) { 7 }
        }
        #expect(await late.value == nil, "cancelled before it asked")
        gate.signal()
    }
}
