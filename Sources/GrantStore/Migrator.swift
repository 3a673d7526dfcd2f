// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Brings schema `tastytokend` to the version that this daemon works with, where the role may.
///
/// All that is due happens in one transaction, under a lock that only migrations take: daemons that start together do
/// it once, and a failure leaves nothing behind.
struct Migrator {
    /// What the catalogue says of schema and role.
    struct Survey: Hashable, Sendable {
        /// The role's name.
        let role: String
        /// The database's name.
        let database: String
        /// Whether the role may make a schema.
        let mayCreateSchema: Bool
        /// Whether the schema is there.
        let hasSchema: Bool
        /// Whether the role may use it.
        let mayUseSchema: Bool
        /// Whether the role may make tables in it.
        let mayCreateTables: Bool
        /// Whether the role may do to the states what the daemon does.
        let mayUseStates: Bool
        /// The version; nil if none can be seen.
        let version: Int?
    }

    private let connection: PostgresConnection
    private let deadline: Deadline

    /// Works on a connection, until a deadline.
    init(on connection: PostgresConnection, until deadline: Deadline) {
        self.connection = connection
        self.deadline = deadline
    }

    /// Looks, applies what is due and allowed, and says what there is then.
    ///
    /// - Parameter mayApply: false to look only.
    /// - Returns: whether the daemon can keep its state there.
    /// - Throws: a failure of kind `misconfigured` if the schema is newer than this daemon.
    func run(mayApply: Bool) throws(StoreError) -> OwnSchema {
        let survey = try survey()
        guard (survey.version ?? 0) <= Migration.newest else { throw tooNew(survey) }
        if survey.version == Migration.newest { return usable(survey) }
        if let obstacle = obstacle(survey, mayApply) { return .absent(reason: obstacle) }
        do throws(StoreError) {
            try apply()
        } catch  where error.failure.kind == .misconfigured {
            // What the survey cannot foresee, as tables in the schema that belong to another role.
            return .absent(reason: error.failure.description)
        }
        return usable(try self.survey())
    }

    /// The steps that are still to be done, in order.
    func plan() throws(StoreError) -> [Migration] {
        let version = try survey().version ?? 0
        return Migration.all.filter { $0.version > version }
    }

    /// Applies what is due. Doing it again, or at the same time from elsewhere, changes nothing more.
    func apply() throws(StoreError) {
        try connection.transaction(until: deadline) { () throws(StoreError) in
            try run(SchemaQueries.lockTimeout)
            try run(SchemaQueries.lock)
            // Whoever held the lock before may have done it all.
            if try !survey().hasSchema { try run(SchemaQueries.createSchema) }
            try run(SchemaQueries.createVersions)
            for step in try plan() {
                try run(Statement("migration \(step.version)", step.sql))
                try run(SchemaQueries.noteVersion, [String(step.version), step.title])
            }
        }
    }

    /// Asks the catalogue.
    func survey() throws(StoreError) -> Survey {
        let result = try run(SchemaQueries.survey)
        let answers = result.rows { row in
            (0..<2).map { row.text($0) ?? "" } + (2..<8).map { row.flag($0) ? "t" : "" }
        }
        let answer = answers.first ?? Array(repeating: "", count: 8)
        let canReadVersion = answer[4] == "t" && answer[6] == "t"
        return Survey(
            role: answer[0],
            database: answer[1],
            mayCreateSchema: answer[2] == "t",
            hasSchema: answer[3] == "t",
            mayUseSchema: answer[4] == "t",
            mayCreateTables: answer[5] == "t",
            mayUseStates: answer[7] == "t",
            version: canReadVersion ? try version() : nil
        )
    }

    private func version() throws(StoreError) -> Int? {
        try run(SchemaQueries.version).rows { $0.integer(0) }.first.map(Int.init)
    }

    private func obstacle(_ survey: Survey, _ mayApply: Bool) -> String? {
        let role = SQLIdentifier(catalogue: survey.role).quoted
        if !mayApply { return "Schema tastytokend is not up to date, and was not to be changed." }
        if !survey.hasSchema {
            let grant = "GRANT CREATE ON DATABASE \(SQLIdentifier(catalogue: survey.database).quoted) TO \(role)"
            return survey.mayCreateSchema
                ? nil
                : "Role \(role) may not create schema tastytokend, so refusals are forgotten at a restart. \(grant)."
        }
        guard survey.mayUseSchema, survey.mayCreateTables else {
            return
                "Role \(role) may not change schema tastytokend, so refusals are forgotten at a restart. "
                + "GRANT USAGE, CREATE ON SCHEMA tastytokend TO \(role)."
        }
        return nil
    }

    private func usable(_ survey: Survey) -> OwnSchema {
        guard survey.mayUseStates, let version = survey.version else {
            let role = SQLIdentifier(catalogue: survey.role).quoted
            return .absent(
                reason:
                    "Role \(role) may not use schema tastytokend. GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA "
                    + "tastytokend TO \(role)."
            )
        }
        return .present(version: version)
    }

    private func tooNew(_ survey: Survey) -> StoreError {
        StoreError(
            .misconfigured,
            reach: .statement,
            text: "Schema tastytokend is at version \(survey.version ?? 0), and this daemon knows up to "
                + "\(Migration.newest). Install the newer tastytokend."
        )
    }

    @discardableResult
    private func run(_ statement: Statement, _ arguments: [String?] = []) throws(StoreError) -> PostgresResult {
        try connection.run(statement, arguments, until: deadline)
    }
}
