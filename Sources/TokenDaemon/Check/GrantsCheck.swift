// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import GrantStore
import TokenCore

/// What `check` says of refresh tokens in the table, as far as they tell it themselves: the wrong kind of token, another client's, another
/// environment's, a scope that is missing (fact sheet section 13).
struct GrantsCheck: Sendable {
    /// So many rows are looked at: all would take as long as a start.
    static let mostRows = 1000
    private static let subject = "grants"

    private let settings: Configuration.TastyTrade
    private let now: WallTime

    /// Holds refresh tokens against the clients of the configuration and of the database.
    ///
    /// - Parameters:
    ///   - configuration: with the client that accounts belong to unless the database says otherwise.
    ///   - now: this host's time.
    init(_ configuration: Configuration, at now: WallTime) {
        settings = configuration.tastytrade
        self.now = now
    }

    /// Looks at the first rows.
    ///
    /// - Parameter store: where they are.
    /// - Returns: a line for each kind of thing that is wrong or may be; else that nothing is.
    func verdicts(_ store: PostgresGrantStore) async -> [Verdict] {
        do throws(StoreFailure) {
            let users = try await store.usersWithGrants(atMost: Self.mostRows)
            let rows = try await store.rows(of: users)
            let clients = Dictionary(rows.map { ($0.user, $0.client) }) { first, _ in first }
            let known = Dictionary(try await store.clients().map { ($0.name, $0) }) { first, _ in first }
            let grants = try await store.grants(of: users)
            let found = grants.compactMap { grant -> (UserID, [Finding])? in
                guard case .success(let token) = grant.refreshToken else { return nil }
                return (grant.user, findings(token, clients[grant.user].flatMap { $0 }.flatMap { known[$0] }))
            }
            return Self.verdicts(on: found)
        } catch {
            return [Verdict(.warn, Self.subject, "the refresh tokens could not be looked at: \(error)")]
        }
    }

    private func findings(_ token: Secret, _ stored: StoredClient?) -> [Finding] {
        let own = InspectedClient(settings)
        let client = stored.map { InspectedClient($0, beside: own.registration) } ?? own
        return client.findings(onRefreshToken: token, at: now)
    }

    /// One line for all rows of which the same is to be said, with the words of the first.
    static func verdicts(on found: [(user: UserID, findings: [Finding])]) -> [Verdict] {
        var slips: [FindingCode: (first: Finding, user: UserID, count: Int)] = [:]
        for (user, findings) in found {
            for finding in findings where finding.severity > .note {
                slips[finding.code, default: (finding, user, 0)].count += 1
            }
        }
        let looked = found.count == 1 ? "1 refresh token" : "\(found.count) refresh tokens"
        guard !slips.isEmpty else { return [Verdict(.ok, subject, "\(looked) looked at, nothing unusual in them")] }
        return slips.values.sorted { ($0.count, $1.first.code.rawValue) > ($1.count, $0.first.code.rawValue) }.map {
            slip in
            Verdict(
                .warn,
                subject,
                "\(slip.count) of \(looked) looked at, that of user \(slip.user) the first: \(slip.first.problem)",
                remedy: slip.first.remedy
            )
        }
    }
}
