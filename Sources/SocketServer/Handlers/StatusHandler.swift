// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import TokenCore

/// One call of `GET /v1/users/{user}`. The engine is asked by a task, since it answers from its own executor; the caller
/// waits no longer than the limit, whatever the engine does.
final class StatusHandler {
    private let user: UserID
    private let service: SocketService
    private let eventLoop: any EventLoop
    private var finish: ((Reply) -> Void)?
    private var deadline: Scheduled<Void>?
    private var task: Task<Void, Never>?

    /// A call that has not begun. `finish` is called once, on the event loop, unless ``cancel()`` comes first.
    init(
        _ user: UserID,
        service: SocketService,
        eventLoop: any EventLoop,
        finish: @escaping (Reply) -> Void
    ) {
        self.user = user
        self.service = service
        self.eventLoop = eventLoop
        self.finish = finish
    }

    /// Asks the engine.
    func begin() {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task { [user, eventLoop, serving = service.serving] in
            let report = await serving.report(on: user)
            eventLoop.execute { handler.value.answer(report) }
        }
        deadline = eventLoop.scheduleTask(in: service.limits.report) { handler.value.giveUp() }
    }

    /// The caller is gone.
    func cancel() {
        finish = nil
        deadline?.cancel()
        task?.cancel()
    }

    private func answer(_ report: GrantReport?) {
        answer(
            report.map { .json(StatusReply($0).json) }
                ?? TokenReplies.unknown(user, isReady: service.serving.isReady)
        )
    }

    private func giveUp() {
        let problem = Problem(.overloaded, detail: "The engine did not report on user \(user) in time; ask again.")
        answer(.problem(problem, fields: [.retryAfter(.seconds(1))]))
    }

    private func answer(_ reply: Reply) {
        let finish = finish
        cancel()
        finish?(reply)
    }
}

extension StatusReply {
    /// The engine's report in the words of the wire.
    fileprivate init(_ report: GrantReport) {
        self.init(
            user: report.user.text,
            status: report.status.rawValue,
            environment: report.environment.rawValue,
            client: report.client,
            expiresAtMicroseconds: report.expiresAt?.microseconds,
            lastRefreshedAtMicroseconds: report.lastRefreshedAt?.microseconds,
            nextRefreshAtMicroseconds: report.nextRefreshAt?.microseconds,
            consecutiveFailures: report.consecutiveFailures,
            lastError: report.lastError
        )
    }
}
