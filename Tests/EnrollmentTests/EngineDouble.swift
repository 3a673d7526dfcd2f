// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// What an engine says to whoever connects accounts.
final class EngineDouble: Sendable {
    private struct State {
        var verdict: RefreshVerdict = .underWay(replacing: nil)
        var obstacle: CallObstacle?
        var leaves = 0
        var calls: [String] = []
    }

    private let state = Mutex(State())

    /// What becomes of a refresh that is asked for.
    var verdict: RefreshVerdict {
        get { state.withLock { $0.verdict } }
        set { state.withLock { $0.verdict = newValue } }
    }

    /// Why no call may be made.
    var obstacle: CallObstacle? {
        get { state.withLock { $0.obstacle } }
        set { state.withLock { $0.obstacle = newValue } }
    }

    /// Asks for leave to make a call.
    func leave() -> CallObstacle? {
        state.withLock { state in
            state.leaves += 1
            return state.obstacle
        }
    }

    /// How often it was asked for leave.
    var leaves: Int { state.withLock { $0.leaves } }

    /// The calls that it was told of, and how each ended.
    var calls: [String] { state.withLock { $0.calls } }

    func note(_ call: String) { state.withLock { $0.calls.append(call) } }
}
