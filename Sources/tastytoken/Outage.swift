// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// How a command that goes on bears what keeps it from its answers: it says so once, and asks less and less often.
struct Outage: Equatable {
    /// Milliseconds of the first pause and of the longest.
    static let (firstPause, longestPause) = (500, 10_000)
    /// Seconds that the daemon may put an asker off.
    static let longestDelay = 60

    private enum Trouble: Equatable {
        case answered(Int)
        case away(ToolExit)
    }

    private let task: String
    private var trouble: Trouble?
    private var failures = 0

    /// Nothing is wrong yet.
    ///
    /// - Parameter task: what goes on, for what is told: `watching user 42`.
    init(of task: String) {
        self.task = task
    }

    /// What is to be told, and how many milliseconds to wait before asking again.
    typealias Course = (remark: String?, pause: Int)

    /// Whether something is wrong.
    var isOngoing: Bool { trouble != nil }

    /// Takes an answer that is none, and what it means; `chance` is from 0 up to 1, at random.
    mutating func refused(_ reply: HTTPReply, _ failure: Failure, chance: Double) -> Course {
        let delay = min(reply.retryAfter ?? 0, Self.longestDelay) * 1000
        let course = bear(.answered(reply.status), failure, chance)
        return (course.remark, max(course.pause, delay))
    }

    /// Takes that there is no answer, and why; `chance` is from 0 up to 1, at random.
    mutating func unanswered(_ failure: Failure, chance: Double) -> Course {
        bear(.away(failure.exit), failure, chance)
    }

    /// Takes a real answer; tells that things are well again, if they were not.
    mutating func end() -> String? {
        defer { (trouble, failures) = (nil, 0) }
        return trouble == nil ? nil : "\(task): all is well again"
    }

    private mutating func bear(_ trouble: Trouble, _ failure: Failure, _ chance: Double) -> Course {
        let remark = self.trouble == trouble ? nil : "still \(task): \(failure.text)"
        self.trouble = trouble
        failures += 1
        let backoff = min(Self.firstPause << min(failures - 1, 10), Self.longestPause)
        return (remark, Int(Double(backoff) * (0.5 + chance / 2)))
    }
}
