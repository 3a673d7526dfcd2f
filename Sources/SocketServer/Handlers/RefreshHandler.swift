// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import TokenCore

/// One call of `POST refresh` on its way to an answer: has the engine begin or join a refresh, and looks at the account
/// whenever it changes, until it has another token, or none can be had, or the caller's time is over.
///
/// It lives on its connection's event loop.
final class RefreshHandler {
    private let request: RefreshRequest
    private let service: SocketService
    private let eventLoop: any EventLoop
    private var finish: ((Reply) -> Void)?
    private var waiter: ChangeWaiter?
    private var deadline: Scheduled<Void>?
    private var task: Task<Void, Never>?
    /// The validator of the token that is being replaced; nil where there is none.
    private var replaced: String?
    /// Whether a refresh is known to be under way, or was.
    private var isBegun = false
    private var mayWait: Bool

    /// A call that has not begun. `finish` is called once, on the event loop, unless ``cancel()`` comes first.
    init(
        _ request: RefreshRequest,
        service: SocketService,
        eventLoop: any EventLoop,
        finish: @escaping (Reply) -> Void
    ) {
        self.request = request
        self.service = service
        self.eventLoop = eventLoop
        self.finish = finish
        self.mayWait = request.maximumWait > .zero
    }

    /// Asks the engine. Its verdict is waited for even by who does not wait for the refresh: it is an actor's turn away.
    func begin() {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task { [request, eventLoop, serving = service.serving] in
            let verdict = await serving.refresh(request.user, if: request.means)
            eventLoop.execute { handler.value.take(verdict) }
        }
        deadline = eventLoop.scheduleTask(in: TimeAmount(request.maximumWait)) { handler.value.endPatience() }
    }

    /// The caller's time is over; the engine's, to say whether a refresh was begun, may not be.
    private func endPatience() {
        mayWait = false
        let rest = service.limits.report - TimeAmount(request.maximumWait)
        guard !isBegun, rest > .zero else { return stopWaiting() }
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        deadline = eventLoop.scheduleTask(in: rest) { handler.value.stopWaiting() }
    }

    /// The time for waiting is over, whatever the caller had left of it.
    func stopWaiting() {
        mayWait = false
        if isBegun { look() } else { answer(TokenReplies.overloaded) }
    }

    /// The caller is gone. A refresh that was begun goes on.
    func cancel() {
        finish = nil
        forgetWaiter()
        deadline?.cancel()
        task?.cancel()
    }

    private func take(_ verdict: RefreshVerdict) {
        guard finish != nil else { return }
        switch verdict {
        case .underWay(let token):
            replaced = token?.etag
            isBegun = true
            look()
        case .stale(let token): answer(RefreshReplies.stale(token, of: request.user))
        case .tooSoon(let wait, let limit): answer(RefreshReplies.tooSoon(wait, limit, of: request.user))
        case .unavailable(let code, let retryAfter):
            answer(TokenReplies.unavailable(code, of: request.user, retryAfter: retryAfter))
        case .unknownUser:
            answer(TokenReplies.unknown(request.user, isReady: service.serving.isReady))
        }
    }

    private func look() {
        guard finish != nil else { return }
        forgetWaiter()
        guard let entry = service.serving.entry(for: request.user) else {
            return answer(TokenReplies.unknown(request.user, isReady: service.serving.isReady))
        }
        let now = service.clock()
        if let token = entry.token, token.life.isAlive(at: now), token.etag != replaced {
            service.metrics.handsOut(token, at: now)
            answer(TokenReplies.served(token, of: request.user, degraded: nil, asText: request.wantsText, now: now))
        } else if entry.prospect == .underWay, mayWait {
            wait(after: entry.version)
        } else {
            answer(withoutToken(entry.prospect, now))
        }
    }

    /// The refresh gave no other token, or has not yet.
    private func withoutToken(_ prospect: RefreshProspect, _ now: Moment) -> Reply {
        let (code, retryAfter): (HandOutCode, Duration?) =
            switch (prospect, RefreshVerdict(prospect, at: now)) {
            case (_, .unavailable(let code, let retryAfter)): (code, retryAfter)
            // It came to nothing, and the schedule makes the next: the row was changed meanwhile, say.
            case (.possible, _): (.tokenUnavailable, .zero)
            default: (.refreshTimeout, nil)
            }
        return TokenReplies.unavailable(code, of: request.user, retryAfter: retryAfter)
    }
}

extension RefreshHandler {
    private func wait(after version: UInt64) {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        // It always comes back by way of the loop, also when called from within `onChange`.
        waiter = service.serving.onChange(of: request.user, after: version) { [eventLoop] in
            eventLoop.execute { handler.value.look() }
        }
    }

    private func forgetWaiter() {
        waiter.map(service.serving.cancel)
        waiter = nil
    }

    private func answer(_ reply: Reply) {
        let finish = finish
        cancel()
        finish?(reply)
    }
}
