// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import NIOCore
import TokenCore

/// Answers plain requests for tokens from memory: bytes in, bytes out.
///
/// Whatever needs more than joining a rendered reply (waiting, refusing, any other status) is left to the general way,
/// so that each such case is written in one place.
struct ShortWay {
    private let inForce: AccessInForce
    private var access: AccessInForce.Copy
    private let serving: any TokenServing
    private let remaining: Recorder
    private let answered: Counter
    private let audit: TokenAudit

    /// The short way over an engine.
    init(_ service: SocketService) {
        self.inForce = service.access
        self.access = service.access.copy
        self.serving = service.serving
        self.remaining = service.metrics.remaining
        self.audit = service.audit
        self.answered = service.metrics.counter(.token(UserID("")), status: 200)
    }

    /// Takes up new rules of access, if there are any. To be called before what was read is answered, so that nothing sent
    /// after a change is judged by what held before it.
    mutating func renewAccess() {
        if !inForce.isCurrent(access) { access = inForce.copy }
    }

    /// Answers that are collected before they are sent, in bytes: one read may hold hundreds of requests, and a caller who
    /// does not read the answers is not to cost more memory than this and one answer more.
    static let burst = 64 * 1024

    /// Answers the requests at the head of the bytes, as many as can be answered so, and no more than a ``burst``.
    ///
    /// - Returns: how many bytes were taken; if none were, what follows is for the general way.
    func answer(
        _ bytes: UnsafeRawBufferPointer,
        from caller: Caller,
        at now: Moment,
        into answers: inout ByteBuffer
    ) -> Int {
        var taken = 0
        var count = 0
        while taken < bytes.count, answers.readableBytes < Self.burst {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            guard case .request(let length, let id?) = ShortRequest.recognise(rest) else { break }
            let user = UserID(String(decoding: rest[id], as: UTF8.self))
            guard let token = token(of: user, for: caller, at: now) else { break }
            let secondsLeft = token.life.remaining(at: now).wholeSecondsDown
            answers.writeToken(token, of: user, secondsLeft: secondsLeft)
            remaining.record(secondsLeft)
            audit.took(token, of: user, by: caller, at: now)
            taken += length
            count += 1
        }
        if count > 0 { answered.increment(by: count) }
        return taken
    }

    private func token(of user: UserID, for caller: Caller, at now: Moment) -> PublishedToken? {
        guard access.rules.allow(caller, .token, over: user), let entry = serving.entry(for: user) else { return nil }
        let decision = HandOut.decide(entry, TokenDemand(), mayWait: true, mayWaitForNext: false, now: now)
        guard case .serve(let token, nil) = decision else { return nil }
        return token
    }
}
