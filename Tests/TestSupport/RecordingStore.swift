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

        package init(refreshToken: String?, accessToken: String? = nil, expiresAt: WallTime? = nil) {
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
        var counts: [String: Int] = [:]
        var gates: [String: Mailbox<Void>] = [:]
    }

    private let state: Mutex<State>
    /// Every batch that `write` was given, whether it went well or not.
    package let writes = Mailbox<[GrantWrite]>()
    /// Every note that `remember` was given.
    package let notes = Mailbox<GrantNote>()
    /// The number of each pass over the digests, when it is over.
    package let passes = Mailbox<Int>()

    package init(_ rows: [UserID: Row] = [:]) {
        var state = State()
        state.rows = rows
        self.state = Mutex(state)
    }

    package subscript(user: UserID) -> Row? {
        get { state.withLock { $0.rows[user] } }
        set { state.withLock { $0.rows[user] = newValue } }
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

    /// Holds every call of the method of that name before it does anything, or before `grants` answers, until
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

    package func load(_ receive: @escaping @Sendable ([GrantRow]) async -> Void) async throws(StoreFailure) {
        await receive(try enter("load") { state in state.rows.map { Self.grantRow($0.key, $0.value) } })
    }

    package func digests(_ receive: @escaping @Sendable ([RowDigest]) async -> Void) async throws(StoreFailure) {
        await pass("digests")
        let digests: [RowDigest] = try enter("digests") { state in
            state.rows.map { user, row in
                RowDigest(
                    user: user,
                    grantVersion: row.refreshToken.map(Self.version),
                    expiresAt: row.accessToken == nil ? nil : row.expiresAt
                )
            }
        }
        await receive(digests)
        passes.send(count("digests"))
    }

    package func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow] {
        let rows: [GrantRow] = try enter("rows") { state in
            users.compactMap { user in state.rows[user].map { Self.grantRow(user, $0) } }
        }
        await pass("rows")
        return rows
    }

    package func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant] {
        let grants: [StoredGrant] = try enter("grants") { state in
            users.compactMap { user in
                guard let token = state.rows[user]?.refreshToken else { return nil }
                return StoredGrant(user: user, refreshToken: .success(Secret(token)), version: Self.version(of: token))
            }
        }
        await pass("grants")
        return grants
    }

    package func write(_ writes: [GrantWrite]) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        self.writes.send(writes)
        await pass("write")
        return try enter("write") { state throws(StoreFailure) in
            if let failure = state.writeFailure { throw failure }
            var outcomes: [UserID: WriteOutcome] = [:]
            for write in writes { outcomes[write.user] = Self.write(write, into: &state) }
            return outcomes
        }
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
        guard var row = state.rows[write.user], let token = row.refreshToken, version(of: token) == write.usedVersion
        else { return .superseded }
        row.accessToken = write.answer.accessToken.reveal()
        row.expiresAt = WallTime(microseconds: write.answer.life.expiresAt.wall.microseconds)
        row.refreshToken = write.answer.newRefreshToken?.reveal() ?? token
        state.rows[write.user] = row
        return .stored(grantVersion: version(of: row.refreshToken ?? token))
    }

    private static func grantRow(_ user: UserID, _ row: Row) -> GrantRow {
        GrantRow(
            user: user,
            grant: row.refreshToken.map { .present(version: version(of: $0)) } ?? .none,
            accessToken: row.accessToken.map { Secret($0) },
            expiresAt: row.expiresAt,
            memory: row.memory
        )
    }
}
