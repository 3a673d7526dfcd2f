// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// Lets no more than so many tests have a simulator at once. Each has threads and descriptors of its own, and Foundation's
/// `Process`, by which other tests run curl, can crash in a process with more than a thousand descriptors: it reads
/// `/proc/self/fd` a little past the end of the buffer.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// The one that all tests go through.
    static let simulators = Turnstile(places: 48)

    private let state: Mutex<State>

    /// Takes how many may be inside.
    init(places: Int) {
        self.state = Mutex(State(free: places))
    }

    /// Waits for a place. ``leave()`` must follow.
    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Gives the place to whoever has waited longest.
    func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
