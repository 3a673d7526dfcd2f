// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What callers may know of accounts.
extension RefreshEngine {
    /// How the account stands; nil if there is no such row.
    package func report(on user: UserID) -> GrantReport? {
        guard let slot = table.slot(of: user), let account = table[slot] else { return nil }
        return report(on: account, at: clock())
    }

    private func report(on account: Account, at now: Moment) -> GrantReport {
        let machine = account.machine
        return GrantReport(
            user: account.user,
            status: machine.status(at: now),
            environment: lanes[account.lane].client.environment,
            client: lanes[account.lane].client.name,
            expiresAt: machine.life?.expiresAt.wall,
            lastRefreshedAt: machine.lastRefreshedAt,
            nextRefreshAt: machine.deadline?.wall,
            consecutiveFailures: machine.streak?.count ?? 0,
            lastError: machine.lastError
        )
    }

    /// The token that callers are given, and the client that it is of, as both are in the same turn: whoever shows a token to TastyTrade
    /// has to know to which of its environments.
    ///
    /// - Parameter user: whose.
    /// - Returns: both, the token dead or alive; nil if there is none.
    package func servedToken(of user: UserID) -> (token: PublishedToken, client: ClientRegistration)? {
        guard let account = account(of: user), let token = board.entry(for: user)?.token else { return nil }
        return (token, lanes[account.lane].client)
    }

    /// So many accounts are looked at in one turn, whatever is asked for: refreshes go on between two.
    private static let mostPerTurn = 4096

    /// See ``TokenServing/reports(_:)``. Accounts come in the order of their slots, or of their ids where single ones are asked
    /// for; one that is removed and added again meanwhile may be missed or come twice.
    package func reports(_ query: ReportQuery) -> ReportPage {
        let now = clock()
        let end = query.users?.count ?? table.slotCount
        var reports: [GrantReport] = []
        var place = max(query.start, 0)
        let stop = min(end, place.addingReportingOverflow(Self.mostPerTurn).partialValue)
        while place < stop, reports.count < query.limit {
            if let account = query.users.map({ account(of: $0[place]) }) ?? table[AccountSlot(Int32(place))],
                query.statuses.contains(account.machine.status(at: now)),
                query.client.map({ $0 == lanes[account.lane].client.name }) ?? true
            {
                reports.append(report(on: account, at: now))
            }
            place += 1
        }
        return ReportPage(reports: reports, next: place < end ? place : nil)
    }

    private func account(of user: UserID) -> Account? {
        table.slot(of: user).flatMap { table[$0] }
    }

    /// See ``TokenServing/explanation(of:)``.
    package func explanation(of user: UserID) -> GrantExplanation? {
        guard let account = account(of: user) else { return nil }
        let now = clock()
        let machine = account.machine
        return GrantExplanation(
            report: report(on: account, at: now),
            reason: machine.reason(at: now) + (machine.waitsForRefresh ? wordsForStandstill(of: account.lane) : ""),
            remedy: machine.remedy,
            next: machine.deadline.map { .init(at: $0.wall, why: machine.reasonForDeadline) },
            attempts: attemptLog.attempts(of: user),
            failure: machine.streak?.last
        )
    }

    private func wordsForStandstill(of lane: LaneNumber) -> String {
        guard let reason = lanes[lane].obstacle ?? lanes[lane].causeInWords else { return "" }
        return " No refreshes are made for any account of the OAuth client \(lanes[lane].client.name) now: \(reason)."
    }

    /// See ``TokenServing/summary()``.
    package func summary() -> EngineSummary {
        EngineSummary(
            accounts: tally,
            inLine: lanes.inLine,
            inFlight: lanes.inFlight,
            unstored: unstored,
            capacity: capacity,
            stoppedFor: lanes.standstill
        )
    }
}

extension GrantStateMachine {
    /// Whether the account would be refreshed soon if calls were made.
    fileprivate var waitsForRefresh: Bool { standing == .good && (phase == .queued || streak != nil) }
}
