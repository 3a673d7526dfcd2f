// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore: EnrollmentStoring {
    /// Puts a grant that proved itself into its user's row. A row that another session keeps locked is `locked` after a short wait.
    package func connect(_ grant: ProvenGrant) async throws(StoreFailure) -> ConnectOutcome {
        try await withPlan { plan async throws(StoreFailure) in
            guard grant.client == nil || plan.report.ownSchema.isPresent else { return .unknownClient }
            let (refresh, access): (String, String)
            do throws(TokenRejection) {
                refresh = try plan.tokens.stored(grant.refreshToken, in: .refreshToken, of: grant.user)
                access = try plan.tokens.stored(grant.answer.accessToken, in: .accessToken, of: grant.user)
            } catch {
                return .rejected(reason: error.reason)
            }
            let life = grant.answer.life
            var arguments: [String?] = [
                refresh, access, "\(plan.columns.expiryType.stored(life.expiresAt.wall))",
            ]
            if plan.queries.hasOwnSchema {
                let milliseconds = life.lifetime.nanoseconds / 1_000_000
                arguments += [
                    "\(life.beganAt.wall.microseconds)", milliseconds > 0 ? "\(milliseconds)" : nil,
                    self.knownServerClock.map { "\($0.microsecondsAhead(life.beganAt))" }, grant.client,
                    grant.environment.rawValue,
                ]
            }
            let secrets = [grant.refreshToken, grant.answer.accessToken, Secret(refresh), Secret(access)]
            return try await self.change(grant.user, plan, plan.queries.connect.hiding(secrets), arguments)
        }
    }

    /// Sets the row's three columns to NULL.
    package func disconnect(_ user: UserID) async throws(StoreFailure) -> ConnectOutcome {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.change(user, plan, plan.queries.disconnect, [])
        }
    }

    /// How many accounts have grants of each client, besides the configuration's.
    package func accountsByClient() async throws(StoreFailure) -> [String: Int] {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return [:] }
            let counts = try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(ClientQueries.accounts, until: deadline).rows { row -> (String, Int)? in
                    row.text(0).map { ($0, Int(clamping: row.integer(1) ?? 0)) }
                }
            }
            return Dictionary(counts) { first, _ in first }
        }
    }

    private func change(
        _ user: UserID,
        _ plan: StorePlan,
        _ statement: Statement,
        _ arguments: [String?]
    ) async throws(StoreFailure) -> ConnectOutcome {
        guard plan.columns.idType.canPrint(user) else { return .unknownUser }
        let all = [user.text, configuration.owner] + arguments
        return try await waits.run(within: configuration.statementDeadline) { connection, deadline throws(StoreError) in
            try self.tellKeyBeforeWriting(plan, on: connection, until: deadline)
            let found = try plan.changingOneRow(of: user, on: connection, until: deadline) { () throws(StoreError) in
                try connection.run(statement, all, until: deadline).rows { $0.text(0) }
            }
            return switch found {
            case .success(let users): users.isEmpty ? .unknownUser : .done
            case .failure(.locked): .locked
            case .failure(.rejected(let error, _)) where error.isForeignKeyViolation && plan.queries.hasOwnSchema:
                .unknownClient
            case .failure(.rejected(_, let reason)): .rejected(reason: reason)
            }
        }
    }
}
