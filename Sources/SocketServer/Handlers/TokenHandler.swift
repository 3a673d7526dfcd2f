// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TokenCore

/// One call of `GET token` on its way to an answer: looks at the account, and where the contract lets the caller wait,
/// looks again when the account changes or his time is over.
///
/// It lives on its connection's event loop. Waiting holds a callback and at most two timers, no task.
final class TokenHandler {
    private let request: TokenRequest
    private let service: SocketService
    private let eventLoop: any EventLoop
    private var finish: ((Reply) -> Void)?
    private var waiter: ChangeWaiter?
    private var mayWait: Bool
    private var mayWaitForNext: Bool
    private var deadlines: [Scheduled<Void>] = []

    /// A call that has not begun. `finish` is called once, on the event loop, unless ``cancel()`` comes first.
    init(
        _ request: TokenRequest,
        service: SocketService,
        eventLoop: any EventLoop,
        finish: @escaping (Reply) -> Void
    ) {
        self.request = request
        self.service = service
        self.eventLoop = eventLoop
        self.finish = finish
        self.mayWait = request.maximumWait > .zero
        self.mayWaitForNext = request.waitForNext > .zero
    }

    /// Looks at the account, and answers or waits.
    func look() {
        guard finish != nil else { return }
        forgetWaiter()
        guard let entry = service.serving.entry(for: request.user) else {
            return answer(TokenReplies.unknown(request.user, isReady: service.serving.isReady))
        }
        let now = service.clock()
        let decision = HandOut.decide(
            entry,
            request.demand(for: entry.token),
            mayWait: mayWait,
            mayWaitForNext: mayWaitForNext,
            now: now
        )
        carryOut(decision, entry, now: now)
    }

    /// The time for waiting is over, whatever the caller had left of it.
    func stopWaiting() {
        mayWait = false
        mayWaitForNext = false
        look()
    }

    /// The caller is gone: nothing is answered any more, and nothing is left behind.
    func cancel() {
        finish = nil
        forgetWaiter()
        forgetDeadlines()
    }

    private func carryOut(_ decision: HandOut, _ entry: BoardEntry, now: Moment) {
        switch decision {
        case .serve(let token, let degraded):
            // Who may not wait still gets the refresh on its way, for the next one who asks.
            if degraded == .refreshTimeout { startRefresh(if: entry.prospect == .possible) }
            service.metrics.handsOut(token, at: now)
            answer(
                TokenReplies.served(token, of: request.user, degraded: degraded, asText: request.wantsText, now: now)
            )
        case .notModified(let token):
            answer(TokenReplies.notModified(token))
        case .wait(let startsRefresh):
            startRefresh(if: startsRefresh)
            wait(after: entry.version)
        case .unavailable(let code, let retryAfter):
            if code == .refreshTimeout { startRefresh(if: entry.prospect == .possible) }
            answer(TokenReplies.unavailable(code, of: request.user, retryAfter: retryAfter))
        }
    }

    private func startRefresh(if isWanted: Bool) {
        if isWanted { service.serving.requestRefresh(of: request.user) }
    }

    private func answer(_ reply: Reply) {
        let finish = finish
        cancel()
        finish?(reply)
    }
}

extension TokenHandler {
    private func wait(after version: UInt64) {
        armDeadlines()
        let wake = lookingAgain()
        waiter = service.serving.onChange(of: request.user, after: version, wake)
    }

    /// A callback for any thread. It always comes back by way of the loop, also when called from within `onChange`, so
    /// that the call is not entered twice.
    private func lookingAgain() -> @Sendable () -> Void {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        return { [eventLoop] in
            eventLoop.execute { handler.value.look() }
        }
    }

    private func armDeadlines() {
        guard deadlines.isEmpty else { return }
        if mayWait {
            arm(request.maximumWait) { $0.mayWait = false }
        }
        if mayWaitForNext, !request.validators.isEmpty {
            arm(request.waitForNext) { $0.mayWaitForNext = false }
        }
    }

    private func arm(_ delay: Duration, _ change: @escaping @Sendable (TokenHandler) -> Void) {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        deadlines.append(
            eventLoop.scheduleTask(in: TimeAmount(delay)) {
                change(handler.value)
                handler.value.look()
            }
        )
    }

    private func forgetWaiter() {
        waiter.map(service.serving.cancel)
        waiter = nil
    }

    private func forgetDeadlines() {
        for deadline in deadlines { deadline.cancel() }
        deadlines = []
    }
}
