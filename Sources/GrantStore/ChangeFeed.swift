// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// How the daemon learns of changes to rows; for status and log.
package enum ChangeFeed: Hashable, Sendable {
    /// The database tells, within a second; that it does was tried.
    case notifications
    /// The next reconcile pass finds them. The text says why, and what would help.
    case polling(reason: String)

    /// A few words for a status line.
    package var words: String {
        switch self {
        case .notifications: "changes by notification"
        case .polling: "changes by polling"
        }
    }
}

/// Where the listener shows which way is at work, for any thread to read.
final class ChangeFeedBoard: Sendable {
    private let state = Mutex(ChangeFeed.polling(reason: "The daemon has not begun to listen."))

    /// What is shown.
    var feed: ChangeFeed { state.withLock { $0 } }

    /// Shows another way.
    ///
    /// - Returns: whether it is another.
    func show(_ feed: ChangeFeed) -> Bool {
        state.withLock { old in
            defer { old = feed }
            return old != feed
        }
    }
}
