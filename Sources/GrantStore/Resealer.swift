// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Seals the values of some rows anew, on one connection. Each row is claimed first, as for a refresh, so that no daemon has its
/// refresh token in hand meanwhile; and is written only if both values are still the ones that were read.
struct Resealer {
    private let plan: StorePlan
    private let owner: String
    private let claimFor: Duration
    private let connection: PostgresConnection
    private let deadline: Deadline

    /// Works on a connection until a deadline, with claims of an owner that hold for a time.
    init(
        _ plan: StorePlan,
        owner: String,
        claimFor: Duration,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) {
        self.plan = plan
        self.owner = owner
        self.claimFor = claimFor
        self.connection = connection
        self.deadline = deadline
    }

    /// Seals what wants it, of those users.
    ///
    /// - Parameter users: no more than a batch.
    /// - Returns: what became of each.
    /// - Throws: what concerns more than a row.
    func outcomes(of users: [UserID]) throws(StoreError) -> [UserID: ResealOutcome] {
        // Whoever is not found claimed below is in somebody else's hands.
        var outcomes = Dictionary(users.map { ($0, ResealOutcome.busy) }, uniquingKeysWith: { first, _ in first })
        let claimed = try claimedRows(users)
        for row in claimed { outcomes[row.user] = .unchanged }
        var sealed: [SealedRow] = []
        for row in claimed {
            do throws(TokenRejection) {
                sealed.append(try row.sealed(by: plan.tokens))
            } catch {
                outcomes[row.user] = .refused(reason: error.reason)
                sealed.append(row.untouched)
            }
        }
        for part in [sealed.filter { $0.refresh == nil }, sealed.filter { $0.refresh != nil }] {
            try write(part) { user, outcome in outcomes[user] = outcome }
        }
        return outcomes
    }

    private func claimedRows(_ users: [UserID]) throws(StoreError) -> [ClaimedRow] {
        let ids = ArrayLiteral.of(texts: users.map(\.text))
        let length = String(claimFor.nanoseconds / 1_000_000)
        _ = try connection.run(plan.queries.claim(sends: false), [ids, owner, length], until: deadline)
        // A statement of its own, that sees what was stored before the claims were had.
        return try connection.run(plan.queries.claimedValues, [ids, owner], until: deadline).rows(ClaimedRow.init)
    }

    private func write(
        _ rows: [SealedRow],
        _ tell: (UserID, ResealOutcome) -> Void
    ) throws(StoreError) {
        let changed = Set(rows.filter(\.isChanged).map(\.user))
        try RowFaults.isolating(in: rows) { batch throws(StoreError) in
            let rotates = batch.contains { $0.refresh != nil }
            let statement = plan.queries.reseal(rotates: rotates).hiding(batch.flatMap(\.secrets))
            let written = try connection.run(statement, batch.arguments(owner: owner), until: deadline)
            for row in written.rows(WrittenRow.init) where changed.contains(row.user) { tell(row.user, row.outcome) }
        } refused: { row, error in
            let secrets = RowSecrets(plan.queries, on: connection, until: deadline)
            tell(row.user, .refused(reason: secrets.reason(of: error, for: row.user)))
        }
    }
}

/// What became of one row that was to be sealed anew.
package enum ResealOutcome: Hashable, Sendable {
    /// It is sealed by the key that seals now.
    case sealed
    /// Nothing of it wanted sealing, or nothing could be opened.
    case unchanged
    /// A daemon is at work on the account, or another session on the row: later it will not be.
    case busy
    /// The database takes no write to this row, or the value cannot be sealed.
    case refused(reason: String)
}

/// A row that is claimed, as it was read after that.
private struct ClaimedRow {
    let user: UserID
    private let access: String?
    private let refresh: String?
    private let epoch: Int64
    private let accessVersion: Int64?
    private let refreshVersion: Int64?
    private let accessFault: Int64?
    private let refreshFault: Int64?

    init?(_ row: PostgresRow) {
        guard let id = row.text(0), let epoch = row.integer(3) else { return nil }
        user = UserID(id)
        access = row.text(1)
        refresh = row.text(2)
        self.epoch = epoch
        accessVersion = row.integer(4)
        refreshVersion = row.integer(5)
        accessFault = row.integer(6)
        refreshFault = row.integer(7)
    }

    /// The row with new values where they are wanted. Of one that holds anything unreadable all is left as it is.
    func sealed(by tokens: TokenColumns) throws(TokenRejection) -> SealedRow {
        let isReadable = [
            tokens.state(access, accessFault, of: .accessToken, for: user),
            tokens.state(refresh, refreshFault, of: .refreshToken, for: user),
        ].allSatisfy { if case .closed = $0 { false } else { true } }
        guard isReadable else { return untouched }
        return row(
            try tokens.sealedAnew(access, in: .accessToken, of: user),
            try tokens.sealedAnew(refresh, in: .refreshToken, of: user)
        )
    }

    /// The row with nothing to be written.
    var untouched: SealedRow { row(nil, nil) }

    private func row(_ access: String?, _ refresh: String?) -> SealedRow {
        SealedRow(
            user: user,
            epoch: epoch,
            access: access,
            refresh: refresh,
            accessVersion: accessVersion,
            refreshVersion: refreshVersion
        )
    }
}

/// A claimed row with its new values; nil for what stays.
private struct SealedRow {
    let user: UserID
    let epoch: Int64
    let access: String?
    let refresh: String?
    let accessVersion: Int64?
    let refreshVersion: Int64?

    /// Whether anything is to be written. If not, the statement only ends its claim.
    var isChanged: Bool { access != nil || refresh != nil }
    /// What must not be told in an error.
    var secrets: [Secret] { [access, refresh].compactMap { $0.map { Secret($0) } } }
}

extension [SealedRow] {
    /// The parameters of ``GrantQueries/reseal``.
    fileprivate func arguments(owner: String) -> [String?] {
        [
            ArrayLiteral.of(texts: map(\.user.text)),
            ArrayLiteral.of(integers: map(\.epoch)),
            owner,
            ArrayLiteral.of(texts: map(\.access)),
            ArrayLiteral.of(texts: map(\.refresh)),
            ArrayLiteral.of(integers: map(\.accessVersion)),
            ArrayLiteral.of(integers: map(\.refreshVersion)),
        ]
    }
}

/// What the statement says of one row.
private struct WrittenRow {
    let user: UserID
    let outcome: ResealOutcome

    init?(_ row: PostgresRow) {
        guard let id = row.text(0) else { return nil }
        user = UserID(id)
        // What could not be locked is somebody else's just now, or was changed since it was read, and is looked at again.
        outcome = row.flag(1) ? .sealed : row.flag(2) ? .refused(reason: WriteOutcome.keptByTrigger) : .busy
    }
}
