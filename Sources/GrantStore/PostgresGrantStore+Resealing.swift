// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Sealing anew what is stored, row by row beside running daemons and the application (`tastytokend reseal`).
extension PostgresGrantStore {
    /// How many rows ``reseal(_:)`` takes at most: their claims must outlast the work on all of them.
    package static let resealBatch = 200

    /// How the values of the next rows are sealed, in the order of their ids.
    ///
    /// - Parameters:
    ///   - last: where the part before ended; nil to begin.
    ///   - most: how many rows to look at.
    /// - Returns: what was found, and where to go on; nil after the last row.
    /// - Throws: as every call of the database.
    package func sealPart(after last: UserID?, rows most: Int) async throws(StoreFailure) -> SealPart? {
        try await withLegiblePlan { plan async throws(StoreFailure) in
            try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                let statement = plan.queries.walk(isFirst: last == nil)
                let rows = try connection.run(statement, ["\(most)", last?.text], until: deadline)
                return SealPart(rows, plan.tokens)
            }
        }
    }

    /// Why there may be values that no part shows; nil if there are none.
    ///
    /// - Throws: as every call of the database.
    package func reasonForUnseenValues() async throws(StoreFailure) -> String? {
        try await withLegiblePlan { plan async throws(StoreFailure) in
            guard plan.columns.tellsChanges else {
                return "it is not a plain table with one row for each id, so that rows may have been missed"
            }
            let count = try await self.reads.run(within: self.configuration.streamDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(plan.queries.unwalked, [], until: deadline).rows { $0.integer(0) }.first ?? 0
            }
            return count == 0 ? nil : "rows whose ids cannot be told hold values too (\(count))"
        }
    }

    /// Seals anew what wants it.
    ///
    /// - Parameter users: ``resealBatch`` at most, each once.
    /// - Returns: what became of each.
    /// - Throws: as every call of the database, and `misconfigured` without the daemon's own schema: without claims a daemon might
    ///   have a row's refresh token in hand.
    package func reseal(_ users: [UserID]) async throws(StoreFailure) -> [UserID: ResealOutcome] {
        try await withPlan { plan async throws(StoreFailure) in
            if case .absent(let reason) = plan.report.ownSchema {
                throw StoreFailure(misconfigured: ["Nothing is sealed anew without schema tastytokend.", reason])
            }
            let configuration = self.configuration
            let known = users.filter(plan.columns.idType.canPrint)
            return try await self.writes.run(within: configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                // Each time: whoever does not speak for a minute counts as ended.
                try self.tellKey(on: connection, until: deadline)
                // A write that came after its claim had passed on would be for nothing.
                return try Resealer(
                    plan,
                    owner: configuration.owner,
                    claimFor: configuration.claimFor,
                    on: connection,
                    until: deadline.shortened(to: configuration.claimFor)
                ).outcomes(of: known)
            }
        }
    }
}

/// Some rows of a table, and how their values are sealed.
package struct SealPart: Sendable {
    /// What was counted.
    package let census: SealCensus
    /// Whose values would be sealed otherwise today.
    package let wanting: [UserID]
    /// Where the next part begins.
    package let last: UserID

    /// Puts together what was seen.
    package init(census: SealCensus, wanting: [UserID], last: UserID) {
        (self.census, self.wanting, self.last) = (census, wanting, last)
    }

    /// Reads what ``GrantQueries/walk(isFirst:)`` gives; nil for no rows.
    fileprivate init?(_ rows: PostgresResult, _ tokens: TokenColumns) {
        var (census, wanting, last) = (SealCensus(), [UserID](), UserID?.none)
        rows.forEachRow { row in
            guard let id = row.text(0) else { return }
            let user = UserID(id)
            let states = [
                tokens.state(row.text(1), row.integer(3), of: .accessToken, for: user),
                tokens.state(row.text(2), row.integer(4), of: .refreshToken, for: user),
            ]
            census.count(states)
            if states.wantSealing { wanting.append(user) }
            last = user
        }
        guard let last else { return nil }
        (self.census, self.wanting, self.last) = (census, wanting, last)
    }
}

extension [SealState] {
    /// Whether a row of such values is to be sealed anew. One that holds anything unreadable is a person's to mend.
    fileprivate var wantSealing: Bool {
        var wants = false
        for state in self {
            switch state {
            case .closed: return false
            case .inClear: wants = true
            case .sealed(let key): wants = wants || !key.sealsNow
            case .nothing: break
            }
        }
        return wants
    }
}
