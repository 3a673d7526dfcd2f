// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Makes gaps of single looks at one daemon: when an account had no live token, from the first look without one to the
/// first with one.
struct GapWatch {
    /// What one look showed.
    enum Look {
        /// A live token.
        case live
        /// None, and what was said instead.
        case none(String)
    }

    private let daemon: Int
    private var open: [Int: (from: Double, said: String)] = [:]
    /// Those that ended.
    private(set) var gaps: [Evidence.Gap] = []

    /// Watches a daemon.
    init(daemon: Int) {
        self.daemon = daemon
    }

    /// Takes in a look at an account that began and ended then.
    mutating func note(_ look: Look, of account: Int, began: Double, ended: Double) {
        switch look {
        case .none(let said): open[account] = (open[account]?.from ?? began, said)
        case .live:
            guard let (from, said) = open.removeValue(forKey: account) else { return }
            gaps.append(
                Evidence.Gap(daemon: daemon, account: account, span: Span(from: from, to: ended), said: said)
            )
        }
    }

    /// Ends what is still open.
    mutating func finish(at time: Double) {
        for account in open.keys.sorted() { note(.live, of: account, began: time, ended: time) }
    }
}
