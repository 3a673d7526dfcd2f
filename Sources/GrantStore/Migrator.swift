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
        /// Whether the table of versions is there, whoever may read it.
        let hasVersions: Bool
        /// The version; nil if none can be seen.
        let version: Int?
        /// Whose the schema is; empty if there is none.
        let owner: String
    }

    private let connection: PostgresConnection
    private let deadline: Deadline
    private let patience: Duration

    /// Works on a connection, until a deadline.
    ///
    /// - Parameters:
    ///   - connection: where everything is run.
    ///   - deadline: when it must be over.
    ///   - patience: how long it waits for another migration's end. Nobody waits behind it, so that daemons that start
    ///     together can take turns.
    init(on connection: PostgresConnection, until deadline: Deadline, patience: Duration = .seconds(8)) {
        self.connection = connection
        self.deadline = deadline
        self.patience = patience
    }

    /// Looks, applies what is due and allowed, and says what there is then.
    ///
    /// - Parameter mayApply: false to look only.
    /// - Returns: whether the daemon can keep its state there.
    /// - Throws: a failure of kind `misconfigured` if the schema is newer than this daemon.
    func run(mayApply: Bool) throws(StoreError) -> OwnSchema {
        let survey = try survey()
        guard (survey.version ?? 0) <= Migration.newest else { throw tooNew(survey) }
        if survey.hasSchema, !survey.mayUseSchema || survey.hasVersions && survey.version == nil {
            throw closed(belongsElsewhere(survey))
        }
        if survey.version == Migration.newest { return try usable(survey) }
        if let obstacle = obstacle(survey, mayApply) {
            return try without(survey, obstacle, wasToApply: mayApply)
        }
        do throws(StoreError) {
            try apply()
        } catch  where error.failure.kind == .misconfigured {
            // What the survey cannot foresee, as tables in the schema that belong to another role.
            return try without(survey, error.failure.description, wasToApply: true)
        }
        return try usable(self.survey())
    }

    /// The statements that are still to be run, in order: those for the schema, and for the trigger if it is wanted.
    func due(_ trigger: ChangeTrigger? = nil) throws(StoreError) -> [Statement] {
        let survey = try survey()
        guard (survey.version ?? 0) <= Migration.newest else { throw tooNew(survey) }
        var due: [Statement] = []
        if !survey.hasSchema { due.append(SchemaQueries.createSchema) }
        if survey.version == nil { due.append(SchemaQueries.createVersions) }
        for step in Migration.all where step.version > survey.version ?? 0 {
            due += [Statement("migration \(step.version)", step.sql), SchemaQueries.noteVersion(step)]
        }
        if let trigger, try trigger.status(on: connection, until: deadline) != .present {
            due += try ChangeTrigger.removal(from: connection, until: deadline)
            due += [trigger.function] + trigger.creation
        }
        return due
    }

    /// Applies what is due. Doing it again, or at the same time from elsewhere, changes nothing more.
    ///
    /// - Returns: what was run.
    @discardableResult
    func apply(_ trigger: ChangeTrigger? = nil) throws(StoreError) -> [Statement] {
        try changing { () throws(StoreError) in
            // Whoever held the lock before may have done it all.
            let due = try due(trigger)
            for statement in due { try run(statement) }
            return due
        }
    }

    /// Removes everything that ``apply(_:)`` made, and nothing else: a stranger's object in the schema makes it fail.
    ///
    /// - Returns: what was run.
    func remove() throws(StoreError) -> [Statement] {
        try changing { () throws(StoreError) in
            guard try survey().hasSchema else { return [] }
            let removal = try ChangeTrigger.removal(from: connection, until: deadline) + SchemaQueries.removal
            for statement in removal { try run(statement) }
            return removal
        }
    }

    private func changing(_ body: () throws(StoreError) -> [Statement]) throws(StoreError) -> [Statement] {
        try connection.transaction(until: deadline) { () throws(StoreError) in
            try whereHeldUp(by: "another migration did not end within \(patience)") { () throws(StoreError) in
                try run(SchemaQueries.lockTimeout(patience))
                try run(SchemaQueries.lock)
            }
            let table = "another transaction would not let go of the table for \(SchemaQueries.lockWait)"
            return try whereHeldUp(by: table) { () throws(StoreError) in
                try run(SchemaQueries.lockTimeout(SchemaQueries.lockWait))
                return try body()
            }
        }
    }

    private func whereHeldUp<Value>(
        by obstacle: String,
        _ body: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        do throws(StoreError) {
            return try body()
        } catch  where error.isLockWait {
            throw StoreError(
                .timeout,
                sqlState: error.failure.sqlState,
                reach: .statement,
                text: "Nothing was changed, since \(obstacle). Try again when it is over; pg_stat_activity shows it."
            )
        }
    }

    /// Asks the catalogue.
    func survey() throws(StoreError) -> Survey {
        let result = try run(SchemaQueries.survey)
        let answers = result.rows { row in
            (0..<2).map { row.text($0) ?? "" } + (2..<9).map { row.flag($0) ? "t" : "" } + [row.text(9) ?? ""]
        }
        let answer = answers.first ?? Array(repeating: "", count: 10)
        let canReadVersion = answer[4] == "t" && answer[6] == "t"
        return Survey(
            role: answer[0],
            database: answer[1],
            mayCreateSchema: answer[2] == "t",
            hasSchema: answer[3] == "t",
            mayUseSchema: answer[4] == "t",
            mayCreateTables: answer[5] == "t",
            mayUseStates: answer[7] == "t",
            hasVersions: answer[8] == "t",
            version: canReadVersion ? try version() : nil,
            owner: answer[9]
        )
    }

    private func version() throws(StoreError) -> Int? {
        try run(SchemaQueries.version).rows { $0.integer(0) }.first.map(Int.init)
    }

    /// What keeps the role from doing what is due, as far as that can be foreseen; nil if nothing does.
    func obstacle() throws(StoreError) -> StoreError? {
        try obstacle(survey(), true).map { StoreError(.misconfigured, reach: .statement, text: $0) }
    }

    private func obstacle(_ survey: Survey, _ mayApply: Bool) -> String? {
        let role = SQLIdentifier(catalogue: survey.role).quoted
        if !survey.hasSchema, !survey.mayCreateSchema {
            let grant = "GRANT CREATE ON DATABASE \(SQLIdentifier(catalogue: survey.database).quoted) TO \(role)"
            return
                "Role \(role) may not create schema tastytokend, so refusals are forgotten at a restart. \(grant), or have a "
                + "role that may run what tastytokend migrate --print prints."
        }
        if survey.hasSchema, !(survey.mayUseSchema && survey.mayCreateTables) { return belongsElsewhere(survey) }
        return mayApply
            ? nil
            : "Schema tastytokend is \(survey.hasSchema ? "of an older version" : "not there yet"): run tastytokend migrate, or "
                + "leave it to the daemon's next start."
    }

    /// What two different people may want to know: how the daemon's role can use the schema, and who can migrate.
    private func belongsElsewhere(_ survey: Survey) -> String {
        let (role, owner) = (
            SQLIdentifier(catalogue: survey.role).quoted, SQLIdentifier(catalogue: survey.owner).quoted
        )
        return
            "Role \(role) may not use or change schema tastytokend, which belongs to \(owner). For the daemon's role, as \(owner): "
            + "GRANT USAGE ON SCHEMA tastytokend TO \(role); GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO "
            + "\(role). To migrate, be \(owner), or a superuser."
    }

    private func usable(_ survey: Survey) throws(StoreError) -> OwnSchema {
        guard survey.mayUseStates, let version = survey.version else {
            let role = SQLIdentifier(catalogue: survey.role).quoted
            throw closed(
                "Role \(role) may not use all tables of schema tastytokend, or they are of another version. GRANT SELECT, "
                    + "INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO \(role)."
            )
        }
        return .present(version: version)
    }

    /// As ``without(_:_:wasToApply:)``: what is in the schema is other daemons' to work with, and one right less makes no difference.
    private func closed(_ reason: String) -> StoreError {
        StoreError(
            .misconfigured,
            reach: .statement,
            text: reason + " Other daemons may be at work with it: without it, none would know of another's refreshes."
        )
    }

    /// Other daemons may be at work with a schema that is there: one that does without it would claim nothing, and refresh what they
    /// refresh.
    private func without(_ survey: Survey, _ reason: String, wasToApply: Bool) throws(StoreError) -> OwnSchema {
        guard wasToApply, let version = survey.version else { return .absent(reason: reason) }
        throw StoreError(
            .misconfigured,
            reach: .statement,
            text:
                "Schema tastytokend is at version \(version), and this daemon needs \(Migration.newest): run tastytokend migrate as "
                + "a role that may. \(reason)"
        )
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
