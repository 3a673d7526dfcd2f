// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore {
    /// How many writes go into one statement; few enough that none of them waits long for the others.
    static let writeBatchSize = 500

    /// Stores what refreshes gave. What a constraint or a trigger refuses is `rejected`. A row that another session
    /// keeps locked is `locked`, if the call is to wait after a short wait on a connection of its own.
    package func write(
        _ writes: [GrantWrite],
        waiting: Bool
    ) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        try await withPlan { plan async throws(StoreFailure) in
            var outcomes: [UserID: WriteOutcome] = [:]
            for batch in Self.batches(of: writes) {
                outcomes.merge(try await self.store(batch, plan, waiting: waiting)) { _, later in later }
            }
            return outcomes
        }
    }

    /// Writes down how accounts stand; nothing where the daemon has no schema of its own.
    package func remember(_ notes: [GrantNote]) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            for batch in Self.latest(of: notes).batches(of: Self.batchSize) {
                let arguments = batch.arguments(for: plan.columns.encoding)
                try await self.writes.run(within: self.configuration.statementDeadline) {
                    connection,
                    deadline throws(StoreError) in
                    _ = try connection.run(GrantQueries.remember, arguments, until: deadline)
                }
            }
        }
    }

    private func store(
        _ batch: [GrantWrite],
        _ plan: StorePlan,
        waiting: Bool
    ) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        let (limit, owner) = (configuration.statementDeadline, configuration.owner)
        // A batch that has to be taken apart needs several statements, each with the deadline of one.
        return try await (waiting ? waits : writes).run(within: limit * 2) { connection, deadline throws(StoreError) in
            try self.tellKeyBeforeWriting(plan, on: connection, until: deadline)
            var writer = GrantWriter(
                plan,
                owner: owner,
                clock: self.knownServerClock,
                on: connection,
                waiting: waiting,
                statementLimit: limit,
                until: deadline
            )
            return try writer.outcomes(of: batch)
        }
    }

    /// One statement cannot write a row twice: a second write of a user begins another batch, after the first.
    private static func batches(of writes: [GrantWrite]) -> [[GrantWrite]] {
        var batches: [[GrantWrite]] = []
        var users: Set<UserID> = []
        for write in writes {
            if batches.isEmpty || users.count == writeBatchSize || users.contains(write.user) {
                batches.append([])
                users = []
            }
            batches[batches.count - 1].append(write)
            users.insert(write.user)
        }
        return batches
    }

    private static func latest(of notes: [GrantNote]) -> [GrantNote] {
        let latest = Dictionary(notes.map { ($0.user, $0) }) { _, later in later }
        return latest.values.filter { !$0.user.text.utf8.contains(0) }
    }
}

extension ArraySlice<GrantNote> {
    /// The parameters of ``GrantQueries/remember``.
    fileprivate func arguments(for encoding: TextEncoding) -> [String?] {
        [
            ArrayLiteral.of(texts: map(\.user.text)),
            ArrayLiteral.of(texts: map { ($0.status == .refreshing ? .active : $0.status).rawValue }),
            ArrayLiteral.of(integers: map(\.grantVersion)),
            ArrayLiteral.of(integers: map { Int64(Int32(clamping: Swift.max($0.consecutiveFailures, 0))) }),
            ArrayLiteral.of(texts: map { $0.lastError.map { Self.shown($0, in: encoding) } }),
        ]
    }

    /// Whoever wrote these words made them safe already; what outlives the process is looked at once more. A character
    /// that the database lacks would fail the statement for all.
    private static func shown(_ error: String, in encoding: TextEncoding) -> String {
        let words = SafeText(Secret.strike([], from: error), toBytes: SafeText.remarkLimit).text
        return encoding.isUTF8 ? words : words.unicodeScalars.map(asASCII).joined()
    }

    private static func asASCII(_ scalar: Unicode.Scalar) -> String {
        scalar.isASCII ? "\(scalar)" : "\\u{\(String(scalar.value, radix: 16))}"
    }
}
