// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// What is to be done after an answer, or after none.
struct FollowStep: Equatable {
    /// A line for standard output.
    var line: String?
    /// A line for standard error.
    var remark: String?
    /// Milliseconds before the next request.
    var pause = 0
}

extension FollowStep {
    fileprivate init(_ course: Outage.Course) {
        self.init(remark: course.remark, pause: course.pause)
    }
}

/// Follows the token of a user from one to the next: knows what to ask next, and what an answer means.
///
/// A request is held by the daemon until there is another token (`If-None-Match` with `Prefer: wait`), so that a new one is
/// known at once and a token that stays costs a request a minute.
struct TokenFollower {
    /// Seconds that the daemon is asked to hold a request; more it does not.
    static let longestWait = 60
    /// Milliseconds between two answers that should have been held.
    static let leastInterval = 1000

    private let user: String
    private var validator: String?
    private var hasBeenAnswered = false
    private var outage: Outage

    /// Nothing is known yet.
    init(user: String) {
        self.user = user
        self.outage = Outage(of: "watching user \(Failure.shown(user))")
    }

    /// What to ask next. Once there is a token, the next one is waited for, however little that one has left: what it has
    /// left is the daemon's care.
    var request: SocketRequest {
        guard let validator else { return SocketRequest(target: APIPath.token(of: user)) }
        var request = SocketRequest(target: APIPath.token(of: user, minimumLife: 0))
        request.fields = [("If-None-Match", validator)]
        // Whether a trouble is over is to be known at once.
        if !outage.isOngoing { request.fields.append(("Prefer", "wait=\(Self.longestWait)")) }
        return request
    }

    /// Takes an answer that took so many milliseconds to come.
    ///
    /// - Parameters:
    ///   - reply: the answer to ``request``.
    ///   - elapsed: the milliseconds.
    ///   - chance: from 0 up to 1, at random.
    /// - Returns: what is to be done.
    /// - Throws: what ends it: an answer that will be the same the next time.
    mutating func take(_ reply: HTTPReply, after elapsed: Int, chance: Double) throws(Failure) -> FollowStep {
        hasBeenAnswered = true
        switch reply.status {
        case 304: return unchanged(after: elapsed)
        case 200: return try token(reply, after: elapsed)
        default:
            let failure = reply.failure(of: user)
            guard failure.exit == .tryLater else { throw failure }
            return FollowStep(outage.refused(reply, failure, chance: chance))
        }
    }

    /// Takes that no answer came. Before the first one that ends it where no daemon could ever be reached so: the socket may
    /// not be opened, or is none.
    mutating func lost(_ failure: Failure, chance: Double) throws(Failure) -> FollowStep {
        guard hasBeenAnswered || failure.isPassing else { throw failure }
        return FollowStep(outage.unanswered(failure, chance: chance))
    }

    private mutating func token(_ reply: HTTPReply, after elapsed: Int) throws(Failure) -> FollowStep {
        guard let etag = reply["ETag"] else { throw HTTPReply.garbled }
        let answer = try TokenAnswer(reply, of: user)
        guard etag != validator else { return unchanged(after: elapsed) }
        validator = etag
        let recovery = outage.end()
        return FollowStep(line: RawJSON(reply.body[...]).line, remark: answer.shortcoming(of: user) ?? recovery)
    }

    /// An answer that should have been held comes at once where something between here and the daemon drops `Prefer`.
    private mutating func unchanged(after elapsed: Int) -> FollowStep {
        FollowStep(remark: outage.end(), pause: max(Self.leastInterval - elapsed, 0))
    }
}
