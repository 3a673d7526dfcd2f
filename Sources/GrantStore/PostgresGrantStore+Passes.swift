// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// The two ways over the whole table. Both run on a connection of their own, in steps with a deadline each, and hand
/// over one batch at a time: memory holds that batch and the next, whatever the table's size.
extension PostgresGrantStore {
    /// How many rows are handed over at once.
    static let batchSize = 1000

    /// Every row with its state, in batches, one after the other. Rows whose ids cannot be told are left out. It fails as
    /// `misconfigured` in the end if there are sealed values and none of them opens.
    package func load(
        _ receive: @escaping @Sendable ([GrantRow]) async -> Void
    ) async throws(StoreFailure) -> PassMark? {
        await tellKey()
        return try await withLegiblePlan { plan async throws(StoreFailure) in
            try await self.pass { () async throws(StoreFailure) in
                let position = try await self.begin(plan, plan.queries.load)
                let (openings, clock) = (Openings(), self.knownServerClock)
                let reader = AccountReader(plan.hands, .loading)
                let decode: @Sendable (inout PostgresRow, FieldsLeft) -> GrantRow? = { row, fieldsLeft in
                    reader.read(&row, fieldsLeft) {
                        openings.row($0, of: $1, plan.tokens, clock)
                    } leave: {
                        GrantRow($0, $1)
                    }
                }
                let count = try await self.copy(plan.queries.load, decode, receive)
                self.note(illegible: count.illegible, in: plan)
                if let failure = openings.failure { throw failure }
                return position?.mark
            }
        }
    }

    /// The numbers of the rows that were changed since the mark, page by page. A table that cannot be read so is read as
    /// a whole.
    package func changes(
        since mark: PassMark?,
        _ receive: @escaping @Sendable ([RowDigest]) async -> Void
    ) async throws(StoreFailure) -> TablePass {
        await tellKey()
        return try await withLegiblePlan { plan async throws(StoreFailure) in
            try await self.pass { () async throws(StoreFailure) in
                guard plan.columns.tellsChanges else {
                    _ = try await self.begin(plan, plan.queries.digests)
                    let decode: @Sendable (inout PostgresRow, FieldsLeft) -> RowDigest? = { row, fieldsLeft in
                        fieldsLeft(&row)
                        return RowDigest(row)
                    }
                    let count = try await self.copy(plan.queries.digests, decode, receive)
                    self.note(illegible: count.illegible, in: plan)
                    return TablePass(mark: nil, isComplete: true, rowCount: count.legible)
                }
                return try await self.changes(plan, since: mark, receive)
            }
        }
    }

    /// Lets one pass run at a time. Whatever the server still sends after a failure belongs to nobody.
    private func pass<Outcome: Sendable>(
        _ body: () async throws(StoreFailure) -> Outcome
    ) async throws(StoreFailure) -> Outcome {
        try await withOnlyPass { () async throws(StoreFailure) in
            do throws(StoreFailure) {
                return try await body()
            } catch {
                self.passes.abandon()
                throw error
            }
        }
    }

    /// - Returns: why the pass must not go on; nil if it may.
    private static func handOver<Value: Sendable>(
        _ values: [Value],
        _ receive: @Sendable ([Value]) async -> Void
    ) async -> StoreFailure? {
        await receive(values)
        return Task.isCancelled ? StoreFailure(.unavailable, text: "The pass was called off.") : nil
    }
}

// MARK: - As a whole

extension PostgresGrantStore {
    /// Begins a `COPY` of the whole table; the position is older than its first row.
    private func begin(_ plan: StorePlan, _ statement: Statement) async throws(StoreFailure) -> PassPosition? {
        try await passes.run(within: configuration.streamDeadline) { connection, deadline throws(StoreError) in
            try self.askTheTime(on: connection, until: deadline)
            try connection.begin(until: deadline)
            try connection.run(GrantQueries.roomToLoad, until: deadline)
            let position =
                plan.columns.tellsChanges ? try PassPosition.read(plan, on: connection, until: deadline) : nil
            try connection.beginCopy(statement, until: deadline)
            return position
        }
    }

    /// Hands over what a `COPY` gives, and counts it: what belongs to nobody apart. While one batch is being opened and taken in,
    /// the next is read.
    private func copy<Value: Sendable>(
        _ statement: Statement,
        _ decode: @escaping @Sendable (inout PostgresRow, FieldsLeft) -> Value?,
        _ receive: @escaping @Sendable ([Value]) async -> Void
    ) async throws(StoreFailure) -> RowCount {
        var count = RowCount()
        var batch = try await nextLines(of: statement)
        while let lines = batch {
            async let next = linesOrFailure(of: statement)
            let rows = await Self.decoded(lines, decode)
            let refusal = rows.values.isEmpty ? nil : await Self.handOver(rows.values, receive)
            batch = try await next.get()
            if let refusal { throw refusal }
            count.legible += rows.values.count
            count.illegible += rows.others
        }
        return count
    }

    /// Reads lines on a thread of the pool: not on the caller's, who has others to serve.
    @concurrent private static func decoded<Value: Sendable>(
        _ lines: CopiedLines,
        _ decode: @Sendable (inout PostgresRow, FieldsLeft) -> Value?
    ) async -> (values: [Value], others: Int) {
        lines.decoded(decode)
    }

    private func linesOrFailure(of statement: Statement) async -> Result<CopiedLines?, StoreFailure> {
        do throws(StoreFailure) {
            return .success(try await nextLines(of: statement))
        } catch {
            return .failure(error)
        }
    }

    /// The next lines; nil after the last.
    private func nextLines(of statement: Statement) async throws(StoreFailure) -> CopiedLines? {
        try await passes.resume(within: configuration.streamDeadline) { connection, deadline throws(StoreError) in
            guard connection.isCopying else { return nil }
            let lines = try connection.copyLines(of: statement, atMost: Self.batchSize, until: deadline)
            if !connection.isCopying { try connection.commit(until: deadline) }
            return lines
        }
    }
}

// MARK: - By ranges of pages

extension PostgresGrantStore {
    /// So many pages are read by one statement: eight megabytes, a matter of milliseconds.
    static let pagesPerStatement: Int64 = 1024

    private func changes(
        _ plan: StorePlan,
        since mark: PassMark?,
        _ receive: @escaping @Sendable ([RowDigest]) async -> Void
    ) async throws(StoreFailure) -> TablePass {
        let position = try await beginChanges(plan)
        let horizon = position.horizon(since: mark)
        var count = RowCount()
        for page in stride(from: 0, to: position.pages, by: Int(Self.pagesPerStatement)) {
            let found = try await changes(plan, page..<(page + Self.pagesPerStatement), horizon)
            count.legible += found.count.legible
            count.illegible += found.count.illegible
            for batch in found.digests.batches(of: Self.batchSize) {
                if let refusal = await Self.handOver(Array(batch), receive) { throw refusal }
            }
        }
        try await passes.resume(within: configuration.statementDeadline) { connection, deadline throws(StoreError) in
            try connection.commit(until: deadline)
        }
        note(illegible: count.illegible, in: plan)
        return TablePass(mark: position.mark, isComplete: horizon == nil, rowCount: count.legible)
    }

    private func beginChanges(_ plan: StorePlan) async throws(StoreFailure) -> PassPosition {
        try await passes.run(within: configuration.statementDeadline) { connection, deadline throws(StoreError) in
            try self.askTheTime(on: connection, until: deadline)
            try connection.run(GrantQueries.beginPass, until: deadline)
            return try PassPosition.read(plan, on: connection, until: deadline)
        }
    }

    private func changes(
        _ plan: StorePlan,
        _ pages: Range<Int64>,
        _ horizon: String?
    ) async throws(StoreFailure) -> (digests: [RowDigest], count: RowCount) {
        let arguments = ["(\(pages.lowerBound),0)", "(\(pages.upperBound),0)", horizon]
        return try await passes.resume(within: configuration.statementDeadline) {
            connection,
            deadline throws(StoreError) in
            let result = try connection.run(plan.queries.changes, arguments, until: deadline)
            var count = RowCount()
            let digests = result.rows { row in
                let digest = RowDigest(row)
                if digest == nil { count = RowCount(row) }
                return digest
            }
            return (digests, count)
        }
    }
}

/// How many rows a pass met.
private struct RowCount: Sendable {
    /// Those that are told of.
    var legible = 0
    /// Those whose ids cannot be told.
    var illegible = 0

    init() {}

    /// Reads the row of ``GrantQueries/changes`` that has no id.
    init(_ row: PostgresRow) {
        self.legible = Int(row.integer(1) ?? 0)
        self.illegible = Int(row.integer(2) ?? 0)
    }
}

/// Where a pass stands when it begins.
struct PassPosition: Sendable {
    /// Where the next one can go on.
    let mark: PassMark
    /// The number of the transaction that comes next.
    let next: Int64
    /// How many pages there are to be read.
    let pages: Int64

    /// Half of the circle in which transactions' numbers go round is past; what lies near its end is left alone.
    private static let longestMemory: Int64 = 1 << 30

    /// Asks for it, as the first in a transaction.
    static func read(
        _ plan: StorePlan,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) throws(StoreError) -> PassPosition {
        let result = try connection.run(GrantQueries.position, [plan.columns.table], until: deadline)
        let positions = result.rows { row in
            row.text(0).map { origin in
                PassPosition(
                    mark: PassMark(origin: origin, transaction: row.integer(1) ?? 0),
                    next: row.integer(2) ?? 0,
                    pages: row.integer(3) ?? 0
                )
            }
        }
        guard let position = positions.first else { throw connection.lost(during: GrantQueries.position) }
        return position
    }

    /// The transaction, in the catalogue's 32 bits, since which changes are to be told; nil if all rows are.
    func horizon(since mark: PassMark?) -> String? {
        guard let mark, mark.origin == self.mark.origin else { return nil }
        let age = next - mark.transaction
        guard age >= 0, age < Self.longestMemory else { return nil }
        return String(mark.transaction & 0xFFFF_FFFF)
    }
}
