// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What `tastytokend migrate` does; the daemon itself never touches the application's table so.
extension PostgresGrantStore {
    /// What a migration did, or would do.
    package struct MigrationOutcome: Hashable, Sendable {
        /// The statements, in order; none if nothing was due.
        package let statements: [String]
        /// What an operator should know besides; a sentence each.
        package let notices: [String]
    }

    /// Brings schema and trigger up to date, all or nothing.
    package func migrate() async throws(StoreFailure) -> MigrationOutcome {
        try await changing { finding, migrator throws(StoreError) in
            if let obstacle = try migrator.obstacle() { throw obstacle }
            return Self.outcome(try migrator.apply(finding.trigger), finding)
        }
    }

    /// What ``migrate()`` would do, and the rights that this role needs if another one does it; changes nothing.
    package func migrationPlan() async throws(StoreFailure) -> MigrationOutcome {
        try await changing { finding, migrator throws(StoreError) in
            let due = try migrator.due(finding.trigger)
            guard !due.isEmpty else { return Self.outcome([], finding) }
            let role = SQLIdentifier(catalogue: try migrator.survey().role).quoted
            return Self.outcome(
                [SchemaQueries.lockTimeout(SchemaQueries.lockWait)] + due + SchemaQueries.grants(to: role),
                finding
            )
        }
    }

    /// Removes schema and trigger, wherever it is.
    package func removeMigration() async throws(StoreFailure) -> MigrationOutcome {
        let removed = try await administer { connection, deadline throws(StoreError) in
            try Migrator(on: connection, until: deadline).remove().map(\.text)
        }
        return MigrationOutcome(statements: removed, notices: [])
    }

    private func changing(
        _ body: @escaping @Sendable (TableInspection.Finding, Migrator) throws(StoreError) -> MigrationOutcome
    ) async throws(StoreFailure) -> MigrationOutcome {
        let table = configuration.table
        return try await administer { connection, deadline throws(StoreError) in
            let finding = try TableInspection.run(GrantTableNames(table), on: connection, until: deadline)
            return try body(finding, Migrator(on: connection, until: deadline))
        }
    }

    private func administer<Value: Sendable>(
        _ job: @escaping PostgresSession.Job<Value>
    ) async throws(StoreFailure) -> Value {
        try await writes.run(within: .seconds(60), job)
    }

    private static func outcome(_ statements: [Statement], _ finding: TableInspection.Finding) -> MigrationOutcome {
        let view = "A view takes no trigger, so changes to \(finding.columns.table) are found by polling."
        return MigrationOutcome(
            statements: statements.map(\.text),
            notices: finding.columns.takesTriggers ? finding.notices : finding.notices + [view]
        )
    }
}

extension TableInspection.Finding {
    /// The trigger that fits the table; nil for a view.
    fileprivate var trigger: ChangeTrigger? { columns.takesTriggers ? ChangeTrigger(columns) : nil }
}
