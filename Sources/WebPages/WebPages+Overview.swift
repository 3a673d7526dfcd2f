// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import TokenCore

/// The overview.
extension WebPages {
    /// How many accounts stand on a page.
    private static let pageLength = 100
    /// How often the engine is asked for one page. It looks at some thousand accounts at a time; where those that are wanted are
    /// rare, a page may have fewer.
    private static let mostTurns = 256
    /// How long the engine is asked for one page, as long as over the socket. Then there stands on the page what came until then; the rest
    /// is on the next one.
    private static let patience: Duration = .seconds(5)

    /// Who is connected, until when, and what fails.
    func overview(_ request: Request) async throws -> Response {
        let visit = try visit(request)
        let query = try query(request)
        let showing = Showing(rawValue: query["show"]) ?? .connected
        let start = max(Int(query["from"]) ?? 0, 0)
        let end = clock().boot + Self.patience
        let (reports, next) = await reports(showing, from: start, until: end)
        let now = clock().wall
        var accounts: [AccountView] = []
        for report in reports {
            // Without an explanation there stands what is known of the status alone.
            let isExplained = report.status.isTrouble && clock().boot < end
            accounts.append(
                AccountView(report, isExplained ? await serving.explanation(of: report.user) : nil, at: now)
            )
        }
        let view = OverviewView(
            await serving.summary(),
            isReady: serving.isReady,
            accounts,
            at: (showing, start, next),
            for: visit
        )
        return renderer.page(.overview, view)
    }

    private func reports(
        _ showing: Showing,
        from start: Int,
        until end: BootTime
    ) async -> (reports: [GrantReport], next: Int?) {
        var reports: [GrantReport] = []
        var place: Int? = start
        var turns = 0
        while let here = place, reports.count < Self.pageLength, turns < Self.mostTurns,
            turns == 0 || clock().boot < end
        {
            let query = ReportQuery(
                start: here,
                limit: Self.pageLength - reports.count,
                statuses: showing.statuses,
                users: nil
            )
            let page = await serving.reports(query)
            reports += page.reports
            place = page.next
            turns += 1
        }
        return (reports, place)
    }
}
