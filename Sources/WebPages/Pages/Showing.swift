// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Which accounts the overview shows.
enum Showing: String, CaseIterable {
    /// All that have a grant.
    case connected
    /// Those that fail.
    case failing
    /// Those without a grant.
    case unconnected

    /// What stands on the tab.
    var words: String {
        switch self {
        case .connected: "All connected"
        case .failing: "Failing"
        case .unconnected: "Not connected"
        }
    }

    /// What is said where there are none.
    var emptyWords: String {
        switch self {
        case .connected: "No account is connected."
        case .failing: "No account fails."
        case .unconnected: "Every account is connected."
        }
    }

    /// The statuses that are shown.
    var statuses: Set<GrantStatus> {
        switch self {
        case .connected: Set(GrantStatus.allCases).subtracting([.noGrant])
        case .failing: [.degraded, .expired, .reauthorizationRequired, .unknownOutcome, .unreadable]
        case .unconnected: [.noGrant]
        }
    }

    /// The address of a page.
    ///
    /// - Parameter start: where the page begins.
    /// - Returns: path and query.
    func address(from start: Int) -> String {
        switch (self, start) {
        case (.connected, 0): "/"
        case (_, 0): "/?show=\(rawValue)"
        default: "/?show=\(rawValue)&from=\(start)"
        }
    }
}
