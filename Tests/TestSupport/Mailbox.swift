// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// What one side sends, the other can await, in order: a test waits for a thing to happen without looking at a clock.
package final class Mailbox<Letter: Sendable>: Sendable {
    private struct State {
        var letters: [Letter] = []
        var readers: [CheckedContinuation<Letter, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func send(_ letter: Letter) {
        let reader: CheckedContinuation<Letter, Never>? = state.withLock { state in
            guard !state.readers.isEmpty else {
                state.letters.append(letter)
                return nil
            }
            return state.readers.removeFirst()
        }
        reader?.resume(returning: letter)
    }

    /// The next letter. A test that is ended by its time limit while it waits here ends the whole run: it would hang.
    package func next() async -> Letter {
        await withTaskCancellationHandler {
            await letter()
        } onCancel: {
            fatalError("the time limit is over, and no \(Letter.self) came")
        }
    }

    private func letter() async -> Letter {
        await withCheckedContinuation { continuation in
            let letter: Letter? = state.withLock { state in
                guard !state.letters.isEmpty else {
                    state.readers.append(continuation)
                    return nil
                }
                return state.letters.removeFirst()
            }
            if let letter { continuation.resume(returning: letter) }
        }
    }

    /// How many letters lie unread.
    package var count: Int { state.withLock { $0.letters.count } }
}
