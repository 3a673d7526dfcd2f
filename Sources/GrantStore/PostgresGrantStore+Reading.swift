// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore {
    /// How many rows are handed over at once; memory holds one batch, whatever the table's size.
    static let batchSize = 1000

    /// Every row with its state, in batches; the next is read when the last was taken in.
    package func load(
        _ receive: @escaping @Sendable ([GrantRow]) async -> Void
    ) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.pass(plan.queries.load, GrantRow.init, receive)
        }
    }

    /// Every row's numbers, in batches.
    package func digests(
        _ receive: @escaping @Sendable ([RowDigest]) async -> Void
    ) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.pass(plan.queries.digests, RowDigest.init, receive)
        }
    }

    /// The rows of these users.
    package func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow] {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.read(plan.queries.rows, of: users, plan, GrantRow.init)
        }
    }

    /// The refresh tokens of these users; those without one are missing too.
    package func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant] {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.read(plan.queries.grants, of: users, plan, StoredGrant.init)
        }
    }

    private func read<Value: Sendable>(
        _ statement: Statement,
        of users: [UserID],
        _ plan: StorePlan,
        _ decode: @escaping @Sendable (PostgresRow) -> Value?
    ) async throws(StoreFailure) -> [Value] {
        var values: [Value] = []
        for batch in users.filter(plan.columns.idType.canPrint).batches(of: Self.batchSize) {
            let ids = ArrayLiteral.of(texts: batch.map(\.text))
            values += try await reads.run(within: configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(statement, [ids], until: deadline).rows(decode)
            }
        }
        return values
    }

    private func pass<Value: Sendable>(
        _ statement: Statement,
        _ decode: @escaping @Sendable (PostgresRow) -> Value?,
        _ receive: @escaping @Sendable ([Value]) async -> Void
    ) async throws(StoreFailure) {
        try await withOnlyPass { () async throws(StoreFailure) in
            do throws(StoreFailure) {
                try await self.begin(statement)
                while let batch = try await self.nextBatch(of: statement, decode) {
                    await receive(batch)
                    guard !Task.isCancelled else { throw StoreFailure(.unavailable, text: "The pass was called off.") }
                }
            } catch {
                // Whatever the server still sends belongs to nobody.
                self.passes.abandon()
                throw error
            }
        }
    }

    private func begin(_ statement: Statement) async throws(StoreFailure) {
        try await passes.run(within: configuration.streamDeadline) { connection, deadline throws(StoreError) in
            try connection.begin(until: deadline)
            try connection.run(GrantQueries.roomToJoin, until: deadline)
            try connection.beginCopy(statement, until: deadline)
        }
    }

    /// The next rows; nil after the last.
    private func nextBatch<Value: Sendable>(
        of statement: Statement,
        _ decode: @escaping @Sendable (PostgresRow) -> Value?
    ) async throws(StoreFailure) -> [Value]? {
        try await passes.resume(within: configuration.streamDeadline) { connection, deadline throws(StoreError) in
            guard connection.isCopying else { return nil }
            var values: [Value] = []
            values.reserveCapacity(Self.batchSize)
            try connection.copyRows(of: statement, atMost: Self.batchSize, until: deadline) { row in
                if let value = decode(row) { values.append(value) }
            }
            if !connection.isCopying { try connection.commit(until: deadline) }
            return values
        }
    }
}

extension Array {
    /// The elements in their order, `size` at a time.
    func batches(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
