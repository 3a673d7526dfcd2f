// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore {
    /// The rows of these users.
    package func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow] {
        try await withPlan { plan async throws(StoreFailure) in
            let (reader, clock) = (AccountReader(plan.hands, .reading), self.knownServerClock)
            return try await self.read(plan.queries.rows, of: users, plan) { row, fieldsLeft in
                reader.read(&row, fieldsLeft) {
                    RowReading($0, of: $1, plan.tokens, clock).row
                } leave: {
                    GrantRow($0, $1)
                }
            }
        }
    }

    /// The refresh tokens of these users; those without one are missing too.
    package func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant] {
        try await withPlan { plan async throws(StoreFailure) in
            let reader = AccountReader(plan.hands, .keeping)
            return try await self.read(plan.queries.grants, of: users, plan) { row, fieldsLeft in
                reader.read(&row, fieldsLeft) {
                    StoredGrant($0, of: $1, plan.tokens)
                } leave: {
                    StoredGrant($0, $1)
                }
            }
        }
    }

    private func read<Value: Sendable>(
        _ statement: Statement,
        of users: [UserID],
        _ plan: StorePlan,
        _ decode: @escaping @Sendable (inout PostgresRow, FieldsLeft) -> Value?
    ) async throws(StoreFailure) -> [Value] {
        var values: [Value] = []
        for batch in users.filter(plan.columns.idType.canPrint).batches(of: Self.batchSize) {
            let ids = ArrayLiteral.of(texts: batch.map(\.text))
            values += try await reads.run(within: configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(statement, [ids], until: deadline).accountRows(decode)
            }
        }
        return values
    }
}

extension Array {
    /// The elements in their order, `size` at a time.
    func batches(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
