// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// Whether the pages can be reached, readable from any thread.
final class ListeningMark: Sendable {
    private let isSet = Atomic(false)

    /// Whether something listens.
    var isListening: Bool { isSet.load(ordering: .acquiring) }

    /// Notes that something listens from here on, or no more.
    func set(_ isListening: Bool) {
        isSet.store(isListening, ordering: .releasing)
    }
}
