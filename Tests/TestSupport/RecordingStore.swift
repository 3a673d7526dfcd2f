// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// A table in memory that behaves as the store's port says, fails when told to, and tells what was written.
package final class RecordingStore: GrantStoring {
    /// A row as an application would see it.
    package struct Row: Sendable, Equatable {
        package var refreshToken: String?
        package var accessToken: String?
        package var expiresAt: WallTime?
        package var memory: GrantMemory?
        package var client: String?

        package init(
            refreshToken: String?,
            accessToken: String? = nil,
            expiresAt: WallTime? = nil,
            client: String? = nil
        ) {
            self.client = client
            self.refreshToken = refreshToken
            self.accessToken = accessToken
            self.expiresAt = expiresAt
        }
    }

    private struct State {
        var rows: [UserID: Row] = [:]
        var failure: StoreFailure?
        var writeFailure: StoreFailure?
        var rejected: Set<UserID> = []
        var locked: Set<UserID> = []
        var untried: Set<UserID> = []
        var counts: [String: Int] = [:]
        var gates: [String: Mailbox<Void>] = [:]
        var epochs: [UserID: Int64] = [:]
        var elsewhere: [UserID: Duration] = [:]
        var inDoubt: Set<UserID> = []
        var afterLoss: Set<UserID> = []
        var sends: [Bool] = []
        var rotating: Set<String> = []
        var clients: [StoredClient] = []
        /// Counts the changes, and tells each row's last.
        var transaction: Int64 = 0
        var changedBy: [UserID: Int64] = [:]

        mutating func set(_ user: UserID, _ row: Row?) {
            transaction += 1
            rows[user] = row
            changedBy[user] = row == nil ? nil : transaction
        }
    }

    private let state: Mutex<State>
    /// Every batch that `write` was given, whether it went well or not.
    package let writes = Mailbox<[GrantWrite]>()
    /// Every claim that was ended without a write.
    package let ends = Mailbox<ClaimEnd>()
    /// Every note that `remember` was given.
    package let notes = Mailbox<GrantNote>()
    /// The number of each pass over the changes, when it is over.
    package let passes = Mailbox<Int>()

    private let (news, teller) = AsyncStream.makeStream(of: ChangeNews.self)

    package init(_ rows: [UserID: Row] = [:]) {
        var state = State()
        for (user, row) in rows { state.set(user, row) }
        self.state = Mutex(state)
    }

    package subscript(user: UserID) -> Row? {
        get { state.withLock { $0.rows[user] } }
        set { state.withLock { $0.set(user, newValue) } }
    }

    /// Makes every call fail with this, until it is nil again.
    package func fail(with failure: StoreFailure?) {
        state.withLock { $0.failure = failure }
    }

    /// Makes `write` alone fail with this, until it is nil again.
    package func failWrites(with failure: StoreFailure?) {
        state.withLock { $0.writeFailure = failure }
    }

    /// Makes the row of this user refuse writes, while others go through.
    package func reject(_ user: UserID, _ isRejected: Bool) {
        state.withLock { state in
            if isRejected { state.rejected.insert(user) } else { state.rejected.remove(user) }
        }
    }

    /// Makes another session hold the row of this user, or let go of it.
    package func lock(_ user: UserID, _ isLocked: Bool) {
        state.withLock { state in
            if isLocked { state.locked.insert(user) } else { state.locked.remove(user) }
        }
    }

    /// Has the next waiting write leave out the row of this user for want of time.
    package func leaveUntried(_ user: UserID) {
        state.withLock { _ = $0.untried.insert(user) }
    }

    /// Holds every call of the method of that name before it does anything, or before `claim` answers, until
    /// ``release(_:)``.
    package func hold(_ method: String) {
        state.withLock { $0.gates[method] = Mailbox<Void>() }
    }

    /// Lets one held call of that method go on, the first that came or comes.
    package func release(_ method: String) {
        state.withLock { $0.gates[method] }?.send(())
    }

    private func pass(_ method: String) async {
        await state.withLock { $0.gates[method] }?.next()
    }

    /// How often the method of that name was called.
    package func count(_ method: String) -> Int { state.withLock { $0.counts[method] ?? 0 } }

    /// The version of a refresh token: equal texts have equal versions, for as long as the process lives.
    package static func version(of token: String) -> Int64 { Int64(truncatingIfNeeded: token.hashValue) }

    package func load(
        _ receive: @escaping @Sendable ([GrantRow]) async -> Void
    ) async throws(StoreFailure) -> PassMark? {
        let (rows, mark): ([GrantRow], PassMark) = try enter("load") { state in
            (state.rows.map { Self.grantRow($0.key, $0.value) }, Self.mark(state))
        }
        await receive(rows)
        return mark
    }

    package func changes(
        since mark: PassMark?,
        _ receive: @escaping @Sendable ([RowDigest]) async -> Void
    ) async throws(StoreFailure) -> TablePass {
        await pass("changes")
        let (digests, outcome): ([RowDigest], TablePass) = try enter("changes") { state in
            let changed = state.rows.filter { user, _ in
                mark.map { $0.transaction <= (state.changedBy[user] ?? 0) } ?? true
            }
            return (
                changed.map { Self.digest($0.key, $0.value) },
                TablePass(mark: Self.mark(state), isComplete: mark == nil, rowCount: state.rows.count)
            )
        }
        await receive(digests)
        passes.send(count("changes"))
        return outcome
    }

    package func follow(_ receive: @escaping @Sendable (ChangeNews) async -> Void) async {
        for await news in news { await receive(news) }
    }

    /// Tells who follows.
    package func tell(_ news: ChangeNews) {
        teller.yield(news)
    }

    private static func mark(_ state: State) -> PassMark {
        PassMark(origin: "recording", transaction: state.transaction)
    }

    private static func digest(_ user: UserID, _ row: Row) -> RowDigest {
        RowDigest(
            user: user,
            grantVersion: row.refreshToken.map(version),
            expiresAt: row.accessToken == nil ? nil : row.expiresAt
        )
    }

    package func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow] {
        let rows: [GrantRow] = try enter("rows") { state in
            users.compactMap { user in state.rows[user].map { Self.grantRow(user, $0) } }
        }
        await pass("rows")
        return rows
    }

    package func claim(_ users: [UserID], sends: Bool) async throws(StoreFailure) -> [ClaimedGrant] {
        let grants: [ClaimedGrant] = try enter("claim") { state in
            state.sends.append(sends)
            return users.compactMap { user in
                state.rows[user].map { row in
                    ClaimedGrant(
                        row: Self.grantRow(user, row),
                        refreshToken: row.refreshToken.map { .success(Secret($0)) },
                        hold: Self.claim(user, in: &state)
                    )
                }
            }
        }
        await pass("claim")
        return grants
    }

    private static func claim(_ user: UserID, in state: inout State) -> ClaimedGrant.Hold {
        if let time = state.elsewhere[user] { return .elsewhere(time) }
        state.epochs[user, default: 0] += 1
        let claim = Claim(user: user, epoch: state.epochs[user] ?? 0)
        if state.inDoubt.contains(user) { return .inDoubt(claim) }
        return state.afterLoss.contains(user) ? .afterLoss(claim) : .claimed(claim)
    }

    /// Has another daemon leave a call for this user unaccounted for, until an answer is stored.
    package func doubt(_ user: UserID) {
        state.withLock { _ = $0.inDoubt.insert(user) }
    }

    /// Has another daemon lose the reply to a call for this user, until an answer is stored.
    package func loseReply(to user: UserID) {
        state.withLock { _ = $0.afterLoss.insert(user) }
    }

    /// What each call of `claim` said of whether calls are made that may do away with a refresh token.
    package var claimsThatSend: [Bool] { state.withLock { $0.sends } }

    /// Lets another daemon have the claim on this user, for so long; nil: nobody.
    package func claimElsewhere(_ user: UserID, for time: Duration?) {
        state.withLock { $0.elsewhere[user] = time }
    }

    /// Has another daemon claim this user after this one did.
    package func loseClaim(of user: UserID) {
        state.withLock { $0.epochs[user, default: 0] += 1 }
    }

    package func end(_ claims: [ClaimEnd]) async throws(StoreFailure) {
        try enter("end") { _ in }
        for claim in claims { ends.send(claim) }
    }

    package func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant] {
        let grants: [StoredGrant] = try enter("grants") { state in
            users.compactMap { user in
                guard let token = state.rows[user]?.refreshToken else { return nil }
                return StoredGrant(user: user, refreshToken: .success(Secret(token)), version: Self.version(of: token))
            }
        }
        return grants
    }

    package func write(
        _ writes: [GrantWrite],
        waiting: Bool
    ) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        self.writes.send(writes)
        await pass(waiting ? "write waiting" : "write")
        return try enter("write") { state throws(StoreFailure) in
            if let failure = state.writeFailure { throw failure }
            var outcomes: [UserID: WriteOutcome] = [:]
            for write in writes {
                if waiting, state.untried.remove(write.user) != nil {
                    outcomes[write.user] = .untried
                    continue
                }
                let isLocked = state.locked.contains(write.user)
                outcomes[write.user] =
                    isLocked ? .locked : Self.write(write, into: &state)
            }
            return outcomes
        }
    }

    package func salvage(_ salvages: [GrantSalvage]) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        await pass("salvage")
        return try enter("salvage") { state throws(StoreFailure) in
            if let failure = state.writeFailure { throw failure }
            var outcomes: [UserID: WriteOutcome] = [:]
            for salvage in salvages { outcomes[salvage.user] = Self.salvage(salvage, into: &state) }
            return outcomes
        }
    }

    package func sawRotation(of client: String) async throws(StoreFailure) -> Bool {
        let rotates: Bool = try enter("sawRotation") { $0.rotating.contains(client) }
        return rotates
    }

    package func clients() async throws(StoreFailure) -> [StoredClient] {
        try enter("clients") { $0.clients }
    }

    /// Puts OAuth clients in, in the place of those there were.
    package func replaceClients(with clients: [StoredClient]) {
        state.withLock { $0.clients = clients }
    }

    package func noteRotation(of client: String) async throws(StoreFailure) {
        try enter("noteRotation") { state in _ = state.rotating.insert(client) }
    }

    package func remember(_ notes: [GrantNote]) async throws(StoreFailure) {
        await pass("remember")
        try enter("remember") { _ in }
        for note in notes { self.notes.send(note) }
    }

    private func enter<Result: Sendable>(
        _ method: String,
        _ body: (inout sending State) throws(StoreFailure) -> sending Result
    ) throws(StoreFailure) -> Result {
        try state.withLock { state throws(StoreFailure) in
            state.counts[method, default: 0] += 1
            if let failure = state.failure { throw failure }
            return try body(&state)
        }
    }

    private static func write(_ write: GrantWrite, into state: inout State) -> WriteOutcome {
        guard !state.rejected.contains(write.user) else { return .rejected(reason: "check constraint") }
        if let claim = write.claim, claim.epoch != state.epochs[write.user] { return .superseded }
        guard var row = state.rows[write.user], let token = row.refreshToken, version(of: token) == write.usedVersion
        else { return .superseded }
        row.accessToken = write.answer.accessToken.reveal()
        row.expiresAt = WallTime(microseconds: write.answer.life.expiresAt.wall.microseconds)
        row.refreshToken = write.answer.newRefreshToken?.reveal() ?? token
        state.set(write.user, row)
        state.inDoubt.remove(write.user)
        state.afterLoss.remove(write.user)
        return .stored(grantVersion: version(of: row.refreshToken ?? token))
    }

    private static func salvage(_ salvage: GrantSalvage, into state: inout State) -> WriteOutcome {
        let new = salvage.newRefreshToken.reveal()
        guard var row = state.rows[salvage.user], let token = row.refreshToken,
            version(of: token) == salvage.usedVersion || token == new
        else { return .superseded }
        row.refreshToken = new
        state.set(salvage.user, row)
        return .stored(grantVersion: version(of: new))
    }

    private static func grantRow(_ user: UserID, _ row: Row) -> GrantRow {
        GrantRow(
            user: user,
            grant: row.refreshToken.map { .present(version: version(of: $0)) } ?? .none,
            accessToken: row.accessToken.map { Secret($0) },
            expiresAt: row.expiresAt,
            memory: row.memory,
            client: row.client
        )
    }
}
