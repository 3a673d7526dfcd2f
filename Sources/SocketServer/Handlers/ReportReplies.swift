// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers that tell how accounts and the daemon do (product.md, Socket API).
enum ReportReplies {
    /// How one account stands.
    static func status(of user: UserID, _ serving: any TokenServing) async -> Reply {
        guard let report = await serving.report(on: user) else {
            return TokenReplies.unknown(user, isReady: serving.isReady)
        }
        return .json(StatusReply(report).json)
    }

    /// Why one account stands as it does.
    static func explanation(of user: UserID, _ serving: any TokenServing) async -> Reply {
        guard let explanation = await serving.explanation(of: user) else {
            return TokenReplies.unknown(user, isReady: serving.isReady)
        }
        return .json(json(explanation))
    }

    /// A page of accounts. The engine looks at some thousand in a turn; it is asked until the page is full.
    static func list(_ query: ReportQuery, _ serving: any TokenServing) async -> Reply {
        guard serving.isReady else { return TokenReplies.loading }
        var rest = query
        var reports: [GrantReport] = []
        var next: Int? = query.start
        while let start = next, rest.limit > 0, !Task.isCancelled {
            rest.start = start
            let page = await serving.reports(rest)
            reports += page.reports
            rest.limit -= page.reports.count
            next = page.next
        }
        var text = JSONText()
        text.add("users", objects: reports.lazy.map { StatusReply($0).json })
        text.add("next", next.map(String.init))
        text.close()
        return .json(text.bytes)
    }

    /// All metrics in Prometheus' text format, as they are now.
    static func metrics(_ metrics: SocketMetrics) async -> Reply {
        let type = Reply.Field("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        return .composed(status: 200, fields: [type, .noStore], body: Array(await metrics.text().utf8))
    }

    /// How the daemon does.
    static func summary(_ facts: ServiceFacts, _ serving: any TokenServing) async -> Reply {
        let summary = await serving.summary()
        var text = JSONText()
        text.add("version", facts.version)
        text.add("ready", serving.isReady)
        text.add("started_at", Timestamp.text(microseconds: facts.startedAt.microseconds))
        text.add("accounts", json(summary.accounts))
        text.add("refreshes", refreshes(summary))
        text.add("capacity_accounts", summary.capacity)
        let standing = facts.database()
        text.add("database", database(standing))
        text.add("journal", journal(standing.journal))
        text.close()
        return .json(text.bytes)
    }
}

extension ReportReplies {
    private static func json(_ explanation: GrantExplanation) -> [UInt8] {
        var text = JSONText()
        text.add("user", explanation.report.user.text)
        text.add("status", explanation.report.status.rawValue)
        text.add("reason", explanation.reason)
        text.add("remedy", explanation.remedy)
        text.add("next_attempt", explanation.next.map(json))
        text.add("attempts", objects: explanation.attempts.lazy.map(json))
        text.close()
        return text.bytes
    }

    private static func json(_ next: GrantExplanation.NextAttempt) -> JSONText {
        var text = JSONText()
        text.add("at", Timestamp.text(microseconds: next.at.microseconds))
        text.add("why", next.why)
        text.close()
        return text
    }

    private static func json(_ attempt: RefreshAttempt) -> [UInt8] {
        var text = JSONText()
        text.add("at", Timestamp.text(microseconds: attempt.at.microseconds))
        text.add("duration_ms", Int(attempt.milliseconds))
        text.add("outcome", attempt.failure == nil ? "granted" : "failed")
        text.add("error", attempt.failure?.rawValue)
        text.close()
        return text.bytes
    }

    private static func json(_ accounts: AccountTally) -> JSONText {
        var text = JSONText()
        text.add("total", accounts.total)
        text.add("healthy", accounts.healthy)
        text.add("failing", accounts.failing)
        text.add("needing_a_person", accounts.needingAPerson)
        text.add("without_grant", accounts.withoutGrant)
        text.close()
        return text
    }

    private static func refreshes(_ summary: EngineSummary) -> JSONText {
        var text = JSONText()
        text.add("in_line", summary.inLine)
        text.add("in_flight", summary.inFlight)
        text.add("unstored", summary.unstored)
        text.add("stopped", summary.stoppedFor)
        text.close()
        return text
    }

    private static func journal(_ standing: JournalStanding) -> JSONText {
        var text = JSONText()
        text.add("entries", standing.entries)
        text.add("trouble", standing.trouble)
        text.close()
        return text
    }

    private static func database(_ standing: ServiceFacts.Database) -> JSONText {
        var text = JSONText()
        text.add("trouble", standing.trouble)
        text.add("changes", standing.changes)
        text.close()
        return text
    }
}

extension StatusReply {
    /// The engine's report in the words of the wire.
    init(_ report: GrantReport) {
        self.init(
            user: report.user.text,
            status: report.status.rawValue,
            environment: report.environment.rawValue,
            client: report.client,
            expiresAtMicroseconds: report.expiresAt?.microseconds,
            lastRefreshedAtMicroseconds: report.lastRefreshedAt?.microseconds,
            nextRefreshAtMicroseconds: report.nextRefreshAt?.microseconds,
            consecutiveFailures: report.consecutiveFailures,
            lastError: report.lastError
        )
    }
}
