// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI

/// One call of `GET /metrics`. A task has the text made, since the engine measures on its own executor; the caller waits no
/// longer than the limit, whatever the engine does.
final class MetricsHandler {
    private let service: SocketService
    private let eventLoop: any EventLoop
    private var finish: ((Reply) -> Void)?
    private var deadline: Scheduled<Void>?
    private var task: Task<Void, Never>?

    /// A call that has not begun. `finish` is called once, on the event loop, unless ``cancel()`` comes first.
    init(service: SocketService, eventLoop: any EventLoop, finish: @escaping (Reply) -> Void) {
        self.service = service
        self.eventLoop = eventLoop
        self.finish = finish
    }

    /// Has the text made.
    func begin() {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task { [eventLoop, metrics = service.metrics] in
            let text = await metrics.text()
            eventLoop.execute { handler.value.answer(.metrics(text)) }
        }
        deadline = eventLoop.scheduleTask(in: service.limits.report) { handler.value.giveUp() }
    }

    /// The caller is gone.
    func cancel() {
        finish = nil
        deadline?.cancel()
        task?.cancel()
    }

    private func giveUp() {
        let problem = Problem(.overloaded, detail: "The engine did not measure in time; ask again.")
        answer(.problem(problem, fields: [.retryAfter(.seconds(1))]))
    }

    private func answer(_ reply: Reply) {
        let finish = finish
        cancel()
        finish?(reply)
    }
}

extension Reply {
    /// Metrics in Prometheus' text format.
    fileprivate static func metrics(_ text: String) -> Reply {
        let type = Field("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        return .composed(status: 200, fields: [type, .noStore], body: Array(text.utf8))
    }
}
