// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// An account in the overview.
struct AccountView {
    /// What is wrong with it.
    struct Trouble {
        /// Why it stands as it does.
        let reason: String
        /// What to do.
        let remedy: String
        /// Where it is connected by a grant that was made by hand; nil where that would not help.
        let connect: String?
        /// Where it is connected on TastyTrade's own page.
        let authorize: String
    }

    let user: String
    let status: String
    let tone: String
    /// What stands before the end of its token's life.
    let life: String
    let lifeEnd: TimeView?
    let refreshed: TimeView?
    let client: String
    let environment: String
    let trouble: Trouble?

    /// Puts what is known into words.
    ///
    /// - Parameters:
    ///   - report: how it stands.
    ///   - explanation: why, where something is wrong and the engine says so.
    ///   - now: the present.
    init(_ report: GrantReport, _ explanation: GrantExplanation?, at now: WallTime) {
        user = ShownUser(report.user).text
        status = report.status.words
        tone = report.status.tone
        life = report.expiresAt.map { $0 > now ? "alive until" : "dead since" } ?? "none"
        lifeEnd = report.expiresAt.map { TimeView($0, seenAt: now) }
        refreshed = report.lastRefreshedAt.map { TimeView($0, seenAt: now) }
        client = report.client
        environment = report.environment.rawValue
        trouble =
            report.status.isTrouble
            ? Trouble(
                reason: explanation?.reason ?? report.lastError ?? report.status.words + ".",
                remedy: explanation?.remedy ?? report.status.whatToDo,
                connect: report.status.needsGrant ? GrantPage.address(for: report.user) : nil,
                authorize: AuthorizePage.address(for: report.user)
            ) : nil
    }
}
