// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Writes one batch on one connection, so that a row that cannot be written holds up no other.
///
/// All rows that are free go in one statement. If the database refuses it for a row's sake, the batch is halved until
/// that row stands alone. Rows that another session has locked are left out. Or else, for these, and for rows of which one
/// took so long that nothing came of a batch, each is written alone and waited for.
struct GrantWriter {
    /// How long the rows of a batch that are written one by one may take together; the first is always tried.
    private static let patience = Duration.seconds(5)

    private let plan: StorePlan
    private let owner: String
    private let clock: ServerClock?
    private let connection: PostgresConnection
    private let statementLimit: Duration
    private let deadline: Deadline
    private let isWaiting: Bool
    private var outcomes: [UserID: WriteOutcome] = [:]

    /// Works on a connection until a deadline, each statement no longer than `statementLimit`, with the claims of an owner, and what is
    /// known of the server's clock, and waits for locked rows or not.
    init(
        _ plan: StorePlan,
        owner: String,
        clock: ServerClock?,
        on connection: PostgresConnection,
        waiting: Bool,
        statementLimit: Duration,
        until deadline: Deadline
    ) {
        self.isWaiting = waiting
        self.plan = plan
        self.owner = owner
        self.clock = clock
        self.connection = connection
        self.statementLimit = statementLimit
        self.deadline = deadline
    }

    /// Writes, and says what became of each write. No user may occur twice.
    mutating func outcomes(of writes: [GrantWrite]) throws(StoreError) -> [UserID: WriteOutcome] {
        var sound: [StorableWrite] = []
        for write in writes {
            do throws(TokenRejection) {
                guard plan.columns.idType.canPrint(write.user) else {
                    outcomes[write.user] = .superseded
                    continue
                }
                let storable = try plan.hands.holding(write.user, write.usedVersion, .writing) {
                    () throws(TokenRejection) in
                    try StorableWrite(write, plan.tokens)
                }
                sound.append(storable)
            } catch {
                outcomes[write.user] = .rejected(reason: error.reason)
            }
        }
        guard !isWaiting else {
            try writeOneByOne(sound)
            return outcomes
        }
        // The refresh token's column is not even named where it is to stay as it is.
        try writeTogether(sound.filter { $0.refreshToken == nil })
        try writeTogether(sound.filter { $0.refreshToken != nil })
        return outcomes
    }

    private mutating func writeTogether(_ writes: [StorableWrite]) throws(StoreError) {
        var found: [UserID: WriteOutcome] = [:]
        try RowFaults.isolating(in: writes) { batch throws(StoreError) in
            found.merge(Self.outcomes(try run(batch, locked: .skip), of: batch)) { _, later in later }
        } refused: { write, error in
            found[write.user] = .rejected(reason: rowSecrets.reason(of: error, for: write.user))
        }
        outcomes.merge(found) { _, later in later }
    }

    private static func outcomes(_ rows: [RowOutcome], of writes: [StorableWrite]) -> [UserID: WriteOutcome] {
        let byUser = Dictionary(rows.map { ($0.user, $0) }) { first, _ in first }
        return Dictionary(
            writes.map { ($0.user, byUser[$0.user].map { $0.outcome ?? .locked } ?? .superseded) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private mutating func writeOneByOne(_ writes: [StorableWrite]) throws(StoreError) {
        let budget = deadline.shortened(to: Self.patience)
        for write in writes {
            outcomes[write.user] = budget.isOver ? .untried : try writeWaiting(write)
        }
    }

    private func writeWaiting(_ write: StorableWrite) throws(StoreError) -> WriteOutcome {
        let rows = try plan.changingOneRow(of: write.user, on: connection, until: deadline) { () throws(StoreError) in
            try run([write], locked: .wait)
        }
        return switch rows {
        case .success(let rows): rows.first?.outcome ?? .locked
        case .failure(let refusal): refusal.outcome
        }
    }

    private var rowSecrets: RowSecrets { RowSecrets(plan.queries, on: connection, until: deadline) }

    private func run(_ writes: [StorableWrite], locked: GrantQueries.LockedRows) throws(StoreError) -> [RowOutcome] {
        let rotates = writes.contains { $0.refreshToken != nil }
        let statement = plan.queries.write(rotates: rotates, locked: locked).hiding(writes.flatMap(\.secrets))
        let limit = deadline.shortened(to: statementLimit)
        return try connection.run(statement, arguments(writes, rotates: rotates), until: limit).rows(RowOutcome.init)
    }

    private func arguments(_ writes: [StorableWrite], rotates: Bool) -> [String?] {
        let lives = writes.map(\.life)
        let arguments = [
            ArrayLiteral.of(texts: writes.map(\.user.text)),
            ArrayLiteral.of(texts: writes.map(\.accessToken)),
            ArrayLiteral.of(integers: lives.map { plan.columns.expiryType.stored($0.expiresAt.wall) }),
            ArrayLiteral.of(integers: writes.map(\.usedVersion)),
            ArrayLiteral.of(integers: lives.map(\.beganAt.wall.microseconds)),
            ArrayLiteral.of(integers: lives.map { $0.lifetime.nanoseconds / 1_000_000 }.map { $0 > 0 ? $0 : nil }),
            ArrayLiteral.of(integers: writes.map { $0.epoch }),
            owner,
            ArrayLiteral.of(integers: lives.map { clock?.microsecondsAhead($0.beganAt) }),
        ]
        return rotates ? arguments + [ArrayLiteral.of(texts: writes.map(\.refreshToken))] : arguments
    }
}

/// A write with its tokens as they are to be stored.
private struct StorableWrite {
    let user: UserID
    let accessToken: String
    let refreshToken: String?
    let life: TokenLife
    let usedVersion: Int64
    let epoch: Int64?
    /// What must not be told in an error.
    let secrets: [Secret]

    init(_ write: GrantWrite, _ tokens: TokenColumns) throws(TokenRejection) {
        let answer = write.answer
        user = write.user
        accessToken = try tokens.stored(answer.accessToken, in: .accessToken, of: write.user)
        var refreshToken: String?
        if let token = answer.newRefreshToken {
            refreshToken = try tokens.stored(token, in: .refreshToken, of: write.user)
        }
        self.refreshToken = refreshToken
        life = answer.life
        usedVersion = write.usedVersion
        epoch = write.claim?.epoch
        let stored = [accessToken, refreshToken].compactMap { $0.map { Secret($0) } }
        secrets = [answer.accessToken, answer.newRefreshToken].compactMap(\.self) + stored
    }
}

extension WriteOutcome {
    /// Why a row that could be locked was not written.
    static let keptByTrigger = "A trigger or rule of the table kept the row from being changed."
}

/// What the write's statement says of one row.
private struct RowOutcome {
    let user: UserID
    /// Nil if somebody else held the row.
    let outcome: WriteOutcome?

    init?(_ row: PostgresRow) {
        guard let id = row.text(0) else { return nil }
        self.user = UserID(id)
        if let version = row.integer(1) {
            self.outcome = .stored(grantVersion: version)
        } else if !row.flag(2) {
            self.outcome = .superseded
        } else if row.flag(3) {
            self.outcome = .rejected(reason: WriteOutcome.keptByTrigger)
        } else {
            self.outcome = nil
        }
    }
}
