// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import TokenCore

/// A call that the engine answers from its own executor; the caller waits no longer than the limit, whatever the engine does.
final class QuestionHandler {
    /// Asks the engine and words its answer.
    typealias Question = @Sendable (any TokenServing) async -> Reply

    private let question: Question
    private let isChange: Bool
    private let service: SocketService
    private let eventLoop: any EventLoop
    private var finish: ((Reply) -> Void)?
    private var deadline: Scheduled<Void>?
    private var task: Task<Void, Never>?

    /// A call that has not begun. `finish` is called once, on the event loop, unless ``cancel()`` comes first.
    ///
    /// - Parameters:
    ///   - question: asks, and words the answer.
    ///   - isChange: whether it changes something; then it comes to its own end, whoever waits for that or not.
    ///   - service: what every connection works with.
    ///   - eventLoop: the connection's.
    ///   - finish: takes the answer.
    init(
        _ question: @escaping Question,
        isChange: Bool = false,
        service: SocketService,
        eventLoop: any EventLoop,
        finish: @escaping (Reply) -> Void
    ) {
        self.question = question
        self.isChange = isChange
        self.service = service
        self.eventLoop = eventLoop
        self.finish = finish
    }

    /// Asks the engine; after so long the caller is told that there is no answer.
    func begin(within limit: TimeAmount) {
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task { [question, eventLoop, serving = service.serving] in
            let reply = await question(serving)
            eventLoop.execute { handler.value.answer(reply) }
        }
        deadline = eventLoop.scheduleTask(in: limit) { handler.value.giveUp() }
    }

    /// The caller is gone.
    func cancel() {
        finish = nil
        deadline?.cancel()
        if !isChange { task?.cancel() }
    }

    private func giveUp() {
        answer(isChange ? EnrollmentReplies.underWay : TokenReplies.overloaded)
    }

    private func answer(_ reply: Reply) {
        let finish = finish
        cancel()
        finish?(reply)
    }
}
