// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Who is connected, until when, and what fails.
struct OverviewView: PageView {
    /// A number above the list.
    struct Count {
        let words: String
        let count: Int
    }

    /// A choice of what is shown.
    struct Tab {
        let address: String
        let words: String
        let isCurrent: Bool
    }

    let frame: Frame
    /// Why no refreshes are made at all; nil while they are.
    let alert: String?
    /// Whether there may be accounts that are not known yet.
    let loading: Bool
    let tally: [Count]
    let tabs: [Tab]
    let accounts: [AccountView]
    let isEmpty: Bool
    let emptyWords: String
    /// The address of the first page; nil on that one.
    let first: String?
    /// The address of the next page; nil on the last one.
    let next: String?
    let hasPages: Bool

    /// Puts a page together.
    ///
    /// - Parameters:
    ///   - summary: how all do.
    ///   - isReady: whether all are loaded.
    ///   - accounts: those of this page.
    ///   - place: which ones are shown, where this page begins, and where the next one does.
    ///   - visit: who looks at it.
    init(
        _ summary: EngineSummary,
        isReady: Bool,
        _ accounts: [AccountView],
        at place: (showing: Showing, start: Int, next: Int?),
        for visit: Visit
    ) {
        let tally = summary.accounts
        frame = Frame("Accounts", for: visit, at: .overview)
        alert = summary.stoppedFor.map { "Refreshes are stopped: \($0)." }
        loading = !isReady
        self.tally = [
            Count(words: "connected", count: tally.healthy), Count(words: "failing", count: tally.failing),
            Count(words: "need a person", count: tally.needingAPerson),
            Count(words: "not connected", count: tally.withoutGrant),
        ]
        tabs = Showing.allCases.map {
            Tab(address: $0.address(from: 0), words: $0.words, isCurrent: $0 == place.showing)
        }
        self.accounts = accounts
        isEmpty = accounts.isEmpty
        emptyWords = place.next == nil && place.start == 0 ? place.showing.emptyWords : "None on this page."
        first = place.start > 0 ? place.showing.address(from: 0) : nil
        next = place.next.map { place.showing.address(from: $0) }
        hasPages = first != nil || next != nil
    }
}
