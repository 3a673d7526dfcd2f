// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// A table and its clients in memory, which fails when told to.
final class TableDouble: EnrollmentStoring {
    struct Row: Sendable, Equatable {
        var refreshToken: String?
        var accessToken: String?
        var client: String?
        var expiresAt: WallTime?
    }

    private struct State {
        var rows: [UserID: Row] = [:]
        var clients: [StoredClient] = []
        var failure: StoreFailure?
        /// Writes are done, and then fail with it.
        var failureAfterwards: StoreFailure?
        var outcome = ConnectOutcome.done
        var refusal: ClientRefusal?
    }

    private let state = Mutex(State())

    func set(_ user: UserID, _ row: Row?) { state.withLock { $0.rows[user] = row } }
    func row(_ user: UserID) -> Row? { state.withLock { $0.rows[user] } }
    func add(_ client: StoredClient) { state.withLock { $0.clients.append(client) } }
    var stored: [StoredClient] { state.withLock { $0.clients } }
    /// Every call fails with it.
    func fail(with failure: StoreFailure?) { state.withLock { $0.failure = failure } }
    /// Writes of rows are done, and nobody hears of it but by this.
    func fail(afterwards failure: StoreFailure?) { state.withLock { $0.failureAfterwards = failure } }
    /// What writes of rows come to.
    func end(with outcome: ConnectOutcome) { state.withLock { $0.outcome = outcome } }
    func refuse(with refusal: ClientRefusal?) { state.withLock { $0.refusal = refusal } }

    private func looked<Value>(_ body: (inout State) -> Value) throws(StoreFailure) -> Value {
        let result: Result<Value, StoreFailure> = state.withLock { state in
            state.failure.map(Result.failure) ?? .success(body(&state))
        }
        return try result.get()
    }

    func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow] {
        try looked { state in
            users.compactMap { user in
                state.rows[user].map { row in
                    GrantRow(
                        user: user,
                        grant: row.refreshToken.map { .present(version: Int64($0.utf8.count)) } ?? .none,
                        accessToken: row.accessToken.map { Secret($0) },
                        expiresAt: row.expiresAt,
                        memory: nil,
                        client: row.client
                    )
                }
            }
        }
    }

    func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant] {
        try looked { state in
            users.compactMap { user in
                state.rows[user]?.refreshToken.map { token in
                    StoredGrant(user: user, refreshToken: .success(Secret(token)), version: Int64(token.utf8.count))
                }
            }
        }
    }

    private func changed(
        _ body: (inout State) -> ConnectOutcome
    ) throws(StoreFailure) -> ConnectOutcome {
        let outcome = try looked(body)
        if let failure = state.withLock({ $0.failureAfterwards }) { throw failure }
        return outcome
    }

    func connect(_ grant: ProvenGrant) async throws(StoreFailure) -> ConnectOutcome {
        try changed { state in
            guard state.outcome == .done else { return state.outcome }
            state.rows[grant.user] = Row(
                refreshToken: grant.refreshToken.reveal(),
                accessToken: grant.answer.accessToken.reveal(),
                client: grant.client
            )
            return .done
        }
    }

    func disconnect(_ user: UserID) async throws(StoreFailure) -> ConnectOutcome {
        try changed { state in
            guard state.rows[user] != nil else { return .unknownUser }
            guard state.outcome == .done else { return state.outcome }
            state.rows[user] = Row()
            return .done
        }
    }

    func clients() async throws(StoreFailure) -> [StoredClient] {
        try looked { $0.clients }
    }

    func accountsByClient() async throws(StoreFailure) -> [String: Int] {
        try looked { state in
            Dictionary(state.rows.values.compactMap { $0.client.map { ($0, 1) } }, uniquingKeysWith: +)
        }
    }

    func put(_ client: StoredClient) async throws(StoreFailure) -> Result<Void, ClientRefusal> {
        try looked { state in
            if let refusal = state.refusal { return .failure(refusal) }
            state.clients.removeAll { $0.name == client.name }
            state.clients.append(client)
            return .success(())
        }
    }

    func removeClient(_ name: String) async throws(StoreFailure) -> ClientRemoval {
        try looked { state in
            guard state.clients.contains(where: { $0.name == name }) else { return .unknown }
            let accounts = state.rows.values.count { $0.client == name }
            guard accounts == 0 else { return .inUse(accounts: accounts) }
            state.clients.removeAll { $0.name == name }
            return .removed
        }
    }
}
