// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import TokenCore

/// One run over a table: every row that wants it is sealed anew, at a pace, and those that are in use are come back to.
///
/// Nothing is kept of a run. One that was cut off leaves claims that end within seconds, and the next passes over what is done.
struct ResealRun: Sendable {
    /// What a run is to keep to.
    struct Limits: Sendable {
        /// Rows written a second.
        let rate: Double
        /// How long rows that are in use are come back to: longer than a daemon's claim holds, be it one that was killed.
        let patience: Duration
    }

    /// A table, as far as a run knows it.
    struct Table: Sendable {
        /// The rows after one.
        let part: @Sendable (_ last: UserID?, _ rows: Int) async throws(StoreFailure) -> SealPart?
        /// Seals rows anew.
        let reseal: @Sendable (_ users: [UserID]) async throws(StoreFailure) -> [UserID: ResealOutcome]
        /// How the secrets of OAuth clients are sealed.
        let clients: @Sendable () async throws(StoreFailure) -> ClientSeals
        /// Seals those anew; gives how many.
        let resealClients: @Sendable () async throws(StoreFailure) -> Int
    }

    /// Rows that are refused, before one is written, until it is given up: then it is the table that takes no sealed values.
    private static let mostRefused = 1000
    /// How many rows are looked at by one statement.
    private static let partSize = 1000
    /// How often a call is made that the database does not answer, and how long is waited after the first time.
    private static let attempts = 6
    private static let firstWait: Duration = .seconds(1)
    /// How long is waited before rows are come back to.
    private static let respite: Duration = .seconds(2)

    private let table: Table
    private let limits: Limits
    private let clock: ClockReading
    private let wait: @Sendable (Duration) async -> Void
    private let tell: @Sendable (ResealProgress) -> Void

    /// Puts a run together.
    ///
    /// - Parameters:
    ///   - table: what is to be sealed anew.
    ///   - limits: the pace.
    ///   - clock: its boot clock is what the pace is kept by.
    ///   - wait: lets time go by; that is what a pace is made of.
    ///   - tell: is told how far it is, after each part.
    init(
        _ table: Table,
        _ limits: Limits,
        clock: @escaping ClockReading,
        wait: @escaping @Sendable (Duration) async -> Void,
        tell: @escaping @Sendable (ResealProgress) -> Void
    ) {
        self.table = table
        self.limits = limits
        self.clock = clock
        self.wait = wait
        self.tell = tell
    }

    /// Counts how the values of all rows, and the secrets of OAuth clients, are sealed.
    ///
    /// - Returns: the count.
    /// - Throws: what the database answered in the end, after it was asked again.
    func count() async throws(StoreFailure) -> ResealCount {
        var (count, last) = (ResealCount(), UserID?.none)
        while let part = try await part(after: last) {
            count.rows.add(part.census)
            count.wanting += part.wanting.count
            last = part.last
            tell(ResealProgress(.counting, rows: count.rows.rows))
        }
        count.clients = try await repeating(table.clients)
        return count
    }

    /// Seals anew the secrets of OAuth clients that want it.
    ///
    /// - Returns: how many were.
    /// - Throws: as ``count()``.
    func resealClients() async throws(StoreFailure) -> Int {
        try await repeating(table.resealClients)
    }

    /// Seals anew what wants it.
    ///
    /// - Parameter rows: how many rows there are, for the progress.
    /// - Returns: what became of the rows that wanted it.
    /// - Throws: as ``count()``; what is done stays done.
    func reseal(of rows: Int) async throws(StoreFailure) -> ResealTally {
        var (tally, busy, last) = (ResealTally(), [UserID](), UserID?.none)
        var progress = ResealProgress(.sealing, rows: 0, of: rows)
        while let part = try await part(after: last) {
            busy += try await reseal(part.wanting, &tally)
            last = part.last
            progress.rows += part.census.rows
            progress.sealed = tally.sealed
            tell(progress)
        }
        let end = clock().boot + limits.patience
        while !busy.isEmpty, clock().boot < end {
            tell(ResealProgress(.waiting, rows: busy.count))
            await wait(Self.respite)
            busy = try await reseal(busy, &tally)
        }
        return tally
    }

    /// Seals rows anew, no faster than the rate; gives those that are in use.
    private func reseal(_ users: [UserID], _ tally: inout ResealTally) async throws(StoreFailure) -> [UserID] {
        var busy: [UserID] = []
        // A fifth of a second's rows at a time, so that the pace is even.
        let size = min(max(Int(limits.rate / 5), 1), PostgresGrantStore.resealBatch)
        var rest = users[...]
        while !rest.isEmpty {
            let (batch, began) = (Array(rest.prefix(size)), clock().boot)
            rest = rest.dropFirst(size)
            for (user, outcome) in try await outcomes(of: batch) {
                switch outcome {
                case .sealed: tally.sealed += 1
                case .busy: busy.append(user)
                case .unchanged: break
                case .refused(let reason): tally.note(ResealTally.Refusal(user: user, reason: reason))
                }
            }
            if tally.sealed == 0, tally.refused >= Self.mostRefused, let first = tally.refusals.first {
                throw StoreFailure(.refused, text: "None of \(tally.refused) rows could be written: \(first.reason)")
            }
            let respite = Duration.seconds(Double(batch.count) / limits.rate) - (clock().boot - began)
            if respite > .zero { await wait(respite) }
        }
        return busy
    }

    /// Seals rows anew; where one takes the time of all, each stands alone in the end.
    private func outcomes(of batch: [UserID]) async throws(StoreFailure) -> [UserID: ResealOutcome] {
        do throws(StoreFailure) {
            return try await repeating(whereBusy: batch.count == 1) { () async throws(StoreFailure) in
                try await table.reseal(batch)
            }
        } catch {
            guard error.kind == .timeout, !error.isOutOfReach else { throw error }
            guard batch.count > 1 else { return [batch[0]: .refused(reason: "\(error)")] }
            let half = batch.count / 2
            return try await outcomes(of: Array(batch[..<half]))
                .merging(try await outcomes(of: Array(batch[half...]))) { _, later in later }
        }
    }

    private func part(after last: UserID?) async throws(StoreFailure) -> SealPart? {
        try await repeating { () async throws(StoreFailure) in try await table.part(last, Self.partSize) }
    }

    /// Makes a call again while the database is away or slow; whatever came of it before, it does no harm twice.
    ///
    /// - Parameters:
    ///   - whereBusy: false where a database that is only slow is for the caller to deal with.
    ///   - call: the call.
    /// - Returns: what the call gives.
    /// - Throws: its last failure.
    private func repeating<Value>(
        whereBusy: Bool = true,
        _ call: () async throws(StoreFailure) -> Value
    ) async throws(StoreFailure) -> Value {
        var respite = Self.firstWait
        for _ in 1..<Self.attempts {
            do throws(StoreFailure) {
                return try await call()
            } catch {
                let isSlow = error.kind == .timeout && !error.isOutOfReach
                guard isSlow ? whereBusy : error.kind == .unavailable || error.kind == .timeout else { throw error }
                tell(ResealProgress(.away, rows: 0))
                await wait(respite)
                respite = respite * 2
            }
        }
        return try await call()
    }
}

/// How everything is sealed.
struct ResealCount: Hashable, Sendable {
    /// The values of all rows.
    var rows = SealCensus()
    /// Rows that want sealing.
    var wanting = 0
    /// The secrets of OAuth clients.
    var clients = ClientSeals()

    /// Rows and clients as one.
    var all: SealCensus {
        var all = rows
        all.add(clients.census)
        return all
    }
    /// Whether anything wants sealing.
    var wants: Bool { wanting > 0 || clients.wanting > 0 }
}
