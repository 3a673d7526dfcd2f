// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Claims: which daemon refreshes which account. Each is a row in the daemon's own schema, with a deadline on the server's
/// clock; no lock outlives its statement, so that a pooler may stand in between.
extension PostgresGrantStore {
    /// Claims, then reads. Without the daemon's own schema nothing is claimed, and everything unguarded.
    package func claim(_ users: [UserID]) async throws(StoreFailure) -> [ClaimedGrant] {
        try await withPlan { plan async throws(StoreFailure) in
            var claimed: [ClaimedGrant] = []
            for batch in users.filter(plan.columns.idType.canPrint).batches(of: Self.batchSize) {
                claimed += try await self.claim(Array(batch), plan)
            }
            return claimed
        }
    }

    private func claim(_ users: [UserID], _ plan: StorePlan) async throws(StoreFailure) -> [ClaimedGrant] {
        let isGuarded = plan.report.ownSchema.isPresent
        let (owner, length) = (configuration.owner, configuration.claimFor.nanoseconds / 1_000_000)
        return try await reads.run(within: configuration.statementDeadline) {
            connection,
            deadline throws(StoreError) in
            let ids = ArrayLiteral.of(texts: users.map(\.text))
            if isGuarded { try connection.run(plan.queries.claim, [ids, owner, String(length)], until: deadline) }
            let result = try connection.run(plan.queries.claimed, [ids, owner], until: deadline)
            return result.rows { ClaimedGrant($0, isGuarded: isGuarded) }
        }
    }

    /// Ends claims; one that is not this daemon's any more is let be.
    package func end(_ claims: [ClaimEnd]) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            for batch in claims.batches(of: Self.batchSize) {
                // No daemon's end may cost an account more than a claim's length.
                let arguments = batch.arguments(upTo: self.configuration.claimFor) + [self.configuration.owner]
                try await self.reads.run(within: self.configuration.statementDeadline) {
                    connection,
                    deadline throws(StoreError) in
                    _ = try connection.run(GrantQueries.endClaims, arguments, until: deadline)
                }
            }
        }
    }
}

extension ArraySlice<ClaimEnd> {
    /// The first parameters of ``GrantQueries/endClaims``, none kept longer than that.
    fileprivate func arguments(upTo longest: Duration) -> [String?] {
        [
            ArrayLiteral.of(texts: map(\.claim.user.text)),
            ArrayLiteral.of(integers: map(\.claim.epoch)),
            ArrayLiteral.of(integers: map { Swift.min(Swift.max($0.keptFor, .zero), longest).nanoseconds / 1_000_000 }),
        ]
    }
}

extension ClaimedGrant {
    /// Reads the fields that ``RowField`` and ``ClaimField`` number.
    fileprivate init?(_ row: PostgresRow, isGuarded: Bool) {
        guard let found = GrantRow(row) else { return nil }
        let token: Result<Secret, UnreadableGrant>? =
            switch found.grant {
            case .none: nil
            case .unreadable(_, let reason): .failure(UnreadableGrant(reason: reason))
            case .present: .success(Secret(row.text(ClaimField.refreshToken) ?? ""))
            }
        self.init(row: found, refreshToken: token, hold: Hold(row, of: found.user, isGuarded: isGuarded))
    }
}

extension ClaimedGrant.Hold {
    fileprivate init(_ row: PostgresRow, of user: UserID, isGuarded: Bool) {
        if !isGuarded {
            self = .unguarded
        } else if row.flag(ClaimField.isOurs), let epoch = row.integer(ClaimField.epoch) {
            self = .claimed(Claim(user: user, epoch: epoch))
        } else {
            // A claim that ended since it was in the way has no time left; neither has a row that is newer than the claims.
            self = .elsewhere(.milliseconds(max(row.integer(ClaimField.millisecondsLeft) ?? 0, 0)))
        }
    }
}
