// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What is done to the installation, and when: drawn from a seed, so that a run can be repeated. No daemon and no way to the
/// database or the endpoint has two things done to it at once.
struct ChaosPlan: Hashable, Sendable {
    /// One entry.
    struct Entry: Hashable, Sendable {
        /// Seconds after the beginning.
        let at: Double
        /// What happens then.
        let disturbance: Disturbance
    }

    /// In the order of time.
    let entries: [Entry]

    /// Draws a plan.
    init(_ settings: ChaosSettings) {
        var drawing = PlanDrawing(settings)
        entries = drawing.draw()
    }
}
