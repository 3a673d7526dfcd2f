// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// One caller's wait for the disk: answered once, by the disk or by a timer, whichever comes first.
final class JournalTicket<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Result<Value, JournalFailure>, Never>)
        case resolved(Result<Value, JournalFailure>)
        case done
    }

    private let state = Mutex(State.open)

    /// A ticket that nobody waits on yet.
    init() {}

    /// Has the answer go there, now or later. Called once.
    func wait(_ continuation: CheckedContinuation<Result<Value, JournalFailure>, Never>) {
        let answer: Result<Value, JournalFailure>? = state.withLock { state in
            if case .resolved(let answer) = state {
                state = .done
                return answer
            }
            state = .awaited(continuation)
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }

    /// Answers, unless there is an answer.
    func resolve(_ answer: Result<Value, JournalFailure>) {
        let waiter: CheckedContinuation<Result<Value, JournalFailure>, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .resolved(answer)
                return nil
            case .awaited(let continuation):
                state = .done
                return continuation
            case .resolved, .done:
                return nil
            }
        }
        waiter?.resume(returning: answer)
    }
}
