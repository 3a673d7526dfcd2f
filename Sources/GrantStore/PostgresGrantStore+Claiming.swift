// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Synchronization
package import TokenCore

/// Claims: which daemon refreshes which account. Each is a row in the daemon's own schema, with a deadline on the server's
/// clock; no lock outlives its statement, so that a pooler may stand in between.
extension PostgresGrantStore {
    /// Claims, then reads. Without the daemon's own schema nothing is claimed, and everything unguarded; but not where the schema was
    /// there before, since other daemons may have it yet. An account that the database takes amiss is missing, and costs no other
    /// its claim.
    package func claim(_ users: [UserID], sends: Bool) async throws(StoreFailure) -> [ClaimedGrant] {
        do throws(StoreFailure) {
            let claimed = try await withPlan { plan async throws(StoreFailure) in
                guard plan.report.ownSchema.isPresent || !self.hadSchema.load(ordering: .acquiring) else {
                    throw StoreFailure(.misconfigured, text: Self.lostSchema)
                }
                var claimed: [ClaimedGrant] = []
                for batch in users.filter(plan.columns.idType.canPrint).batches(of: Self.batchSize) {
                    claimed += try await self.claim(Array(batch), sends: sends, plan)
                }
                return claimed
            }
            claimTrouble.withLock { $0 = nil }
            return claimed
        } catch {
            claimTrouble.withLock { $0 = error.description }
            throw error
        }
    }

    private static let lostSchema =
        "Schema tastytokend is gone, or may not be used any more, and without it no daemon knows of another's refreshes. Have it back, "
        + "or restart the daemon if it was removed on purpose."

    private func tellOfUnclaimable(_ user: UserID, _ error: StoreError) {
        listenSettings.logger.warning(
            "an account cannot be claimed, and is not refreshed",
            metadata: ["user.id": "\(user)", "error.message": "\(error.failure)"]
        )
    }

    private func claim(
        _ users: [UserID],
        sends: Bool,
        _ plan: StorePlan
    ) async throws(StoreFailure) -> [ClaimedGrant] {
        let isGuarded = plan.report.ownSchema.isPresent
        let (owner, length) = (configuration.owner, configuration.claimFor.nanoseconds / 1_000_000)
        return try await reads.run(within: configuration.statementDeadline) {
            connection,
            deadline throws(StoreError) in
            let ids = ArrayLiteral.of(texts: users.map(\.text))
            let (reader, clock) = (AccountReader(plan.hands, .claiming), self.knownServerClock)
            guard isGuarded else {
                let rows = try connection.run(plan.queries.claimed, [ids, owner], until: deadline)
                return rows.accountRows { row, fieldsLeft in
                    reader.read(&row, fieldsLeft) { row, user in
                        ClaimedGrant(RowReading(row, of: user, plan.tokens, clock), .unguarded)
                    } leave: { user, left in
                        ClaimedGrant(RowReading(user, left), .unguarded)
                    }
                }
            }
            let statement = plan.queries.claim(sends: sends)
            var claims: [Claim] = []
            try RowFaults.isolating(in: users) { batch throws(StoreError) in
                let some = ArrayLiteral.of(texts: batch.map(\.text))
                claims += try connection.run(statement, [some, owner, String(length)], until: deadline).rows(Claim.init)
            } refused: { user, error in
                self.tellOfUnclaimable(user, error)
            }
            let epochs = Dictionary(claims.map { ($0.user, $0.epoch) }, uniquingKeysWith: max)
            let rows = try connection.run(plan.queries.claimed, [ids, owner], until: deadline)
            return rows.accountRows { row, fieldsLeft in
                reader.read(&row, fieldsLeft) { row, user in
                    let (found, call) = (RowReading(row, of: user, plan.tokens, clock), CallMark(row, sends: sends))
                    return ClaimedGrant(
                        found,
                        ClaimedGrant.Hold(row, claimedWith: epochs[user], sends: sends, of: found.row, call)
                    )
                } leave: { user, left in
                    // So that a claim that was had is given back.
                    let claim = epochs[user].map { Claim(user: user, epoch: $0) }
                    return ClaimedGrant(RowReading(user, left), claim.map { .claimed($0) } ?? .elsewhere(.zero))
                }
            }
        }
    }

    /// Ends claims; one that is not this daemon's any more is let be.
    package func end(_ claims: [ClaimEnd]) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            for batch in claims.batches(of: Self.batchSize) {
                // No daemon's end may cost an account more than a claim's length.
                let arguments = batch.arguments(upTo: self.configuration.claimFor, of: self.configuration.owner)
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
    /// The parameters of ``GrantQueries/endClaims``, none kept longer than that.
    fileprivate func arguments(upTo longest: Duration, of owner: String) -> [String?] {
        [
            ArrayLiteral.of(texts: map(\.claim.user.text)),
            ArrayLiteral.of(integers: map(\.claim.epoch)),
            ArrayLiteral.of(integers: map { Swift.min(Swift.max($0.keptFor, .zero), longest).nanoseconds / 1_000_000 }),
            owner,
            ArrayLiteral.of(texts: map(\.outcome.rawValue)),
        ]
    }
}

/// What a claim says of calls.
private struct CallMark {
    /// The version of the refresh token that others sent without accounting for it; nil if nobody did.
    let doubted: Int64?
    /// The version of the one that is to be sent under this claim; nil if the claim does not say.
    let marked: Int64?
    /// The version of the one with which a call was made whose reply is lost; nil if there is none.
    let lost: Int64?

    /// Reads the fields that ``ClaimField`` numbers.
    init(_ row: PostgresRow, sends: Bool) {
        let version = row.integer(ClaimField.sentVersion)
        self.doubted = row.flag(ClaimField.isSentByOthers) ? version : nil
        self.marked = sends ? version : nil
        self.lost = row.flag(ClaimField.isReplyLost) ? version : nil
    }
}

extension Claim {
    /// Reads the fields of ``GrantQueries/claim``.
    fileprivate init?(_ row: PostgresRow) {
        guard let user = row.text(0), let epoch = row.integer(1) else { return nil }
        self.init(user: UserID(user), epoch: epoch)
    }
}

extension ClaimedGrant {
    fileprivate init(_ found: RowReading, _ hold: Hold) {
        let token: Result<Secret, UnreadableGrant>? =
            switch found.row.grant {
            case .none: nil
            case .unreadable(_, let reason): .failure(UnreadableGrant(reason: reason))
            case .present: found.refreshToken.map(Result.success)
            }
        self.init(row: found.row, refreshToken: token, hold: hold)
    }
}

extension ClaimedGrant.Hold {
    /// Reads the fields that ``ClaimField`` numbers, after a claim that was made with that epoch, if one was. A claim that
    /// stands, but was not made just now, is a session's that has not ended: of another daemon, or of this one's own writes.
    /// Nor is one good whose row was given another refresh token before it was read: its mark names the one before, and the call would be
    /// made unmarked.
    fileprivate init(_ row: PostgresRow, claimedWith epoch: Int64?, sends: Bool, of found: GrantRow, _ call: CallMark) {
        let isMarked = found.grant == .none || call.marked.map(found.holds) ?? !sends
        if let epoch, row.flag(ClaimField.isOurs), row.integer(ClaimField.epoch) == epoch, isMarked {
            let claim = Claim(user: found.user, epoch: epoch)
            if call.doubted.map(found.holds) == true {
                self = .inDoubt(claim)
            } else {
                self = call.lost.map(found.holds) == true ? .afterLoss(claim) : .claimed(claim)
            }
        } else {
            // A claim that ended since it was in the way has no time left; neither has a row that is newer than the claims.
            self = .elsewhere(.milliseconds(max(row.integer(ClaimField.millisecondsLeft) ?? 0, 0)))
        }
    }
}
