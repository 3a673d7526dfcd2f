// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Synchronization
package import TokenCore

/// Which daemon seals by which key, as all of them can know: a key is in use for as long as one of them seals by it, whatever
/// stands in the table. Each says so before it writes anything that the key seals.
extension PostgresGrantStore {
    /// How long after a change of keys a daemon may still be writing what the one before sealed: twice what a batch of writes may
    /// take, on whichever connection.
    private static let lastWrites: Duration = .seconds(60)
    /// Whoever did not speak for so long is gone. He may have been stopped for hours, and come back.
    private static let silence: Duration = .seconds(86_400)

    /// The id of the key that seals now; empty where tokens are written in clear.
    package var sealingKeyID: String { configuration.tokens.sealingKeyID }

    /// Seals and opens with other keys of the same kind from now on. Where the database cannot be told now, the next write tells
    /// it, before anything is sealed.
    ///
    /// - Parameter sealing: the keys.
    package func use(_ sealing: any ColumnSealing) async {
        // What the key before sealed may be on its way to the database from now on still.
        await tellKey()
        announcedKey.withLock { $0 = nil }
        await tellKey(sealing.sealingKeyID ?? "")
        configuration.tokens.use(sealing)
    }

    /// Says again by which key this daemon seals, and that it does so by no other any more. What fails is made up for by the next
    /// write, which says so before it seals.
    func tellKey() async {
        await tellKey(configuration.tokens.sealingKeyID)
    }

    private func tellKey(_ key: String) async {
        do throws(StoreFailure) {
            try await withPlan { plan async throws(StoreFailure) in
                guard plan.report.ownSchema.isPresent else { return }
                // Not where answers are written: a database that hangs must not hold those up for something that can wait.
                try await self.waits.run(within: self.configuration.statementDeadline) {
                    connection,
                    deadline throws(StoreError) in
                    try self.tell(key, on: connection, until: deadline)
                }
            }
        } catch {
            announcedKey.withLock { $0 = nil }
            listenSettings.logger.debug(
                "by which key is sealed could not be told; the next write does so",
                metadata: ["error.message": "\(error)"]
            )
        }
    }

    /// Says by which key is sealed, unless that was said before; to be done before anything is sealed to be written.
    func tellKeyBeforeWriting(
        _ plan: StorePlan,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) throws(StoreError) {
        let key = configuration.tokens.sealingKeyID
        guard plan.report.ownSchema.isPresent, announcedKey.withLock({ $0 }) != key else { return }
        try tell(key, on: connection, until: deadline)
    }

    /// Says so on that connection, whatever was said before.
    func tellKey(on connection: PostgresConnection, until deadline: Deadline) throws(StoreError) {
        try tell(configuration.tokens.sealingKeyID, on: connection, until: deadline)
    }

    private func tell(_ key: String, on connection: PostgresConnection, until deadline: Deadline) throws(StoreError) {
        let arguments = [configuration.owner, key, configuration.host, "\(Self.lastWrites.wholeSecondsUp)"]
        _ = try connection.run(Self.tellKey, arguments + [configuration.tokens.environment.rawValue], until: deadline)
        announcedKey.withLock { $0 = key }
    }

    /// Says that nothing is sealed from here any more, within a few seconds.
    ///
    /// - Throws: as every call of the database.
    package func endSealing() async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            try await self.waits.run(within: min(self.configuration.statementDeadline, .seconds(3))) {
                connection,
                deadline throws(StoreError) in
                _ = try connection.run(Self.endSealing, [self.configuration.owner], until: deadline)
                self.announcedKey.withLock { $0 = nil }
            }
        }
    }

    /// The others that sealed within the last day, each by its last key and those of the last minute. A run of `reseal` that did not
    /// speak for a minute is over, however it ended.
    ///
    /// - Throws: as every call of the database. Without the daemon's own schema there are none.
    package func sealers() async throws(StoreFailure) -> [Sealer] {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return [] }
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                let arguments = [
                    "\(Self.silence.wholeSecondsUp)", self.configuration.owner, "\(Self.lastWrites.wholeSecondsUp)",
                ]
                return try connection.run(Self.sealersQuery, arguments, until: deadline).rows(Sealer.init)
            }
        }
    }

    /// Parameters: `$1` owner, `$2` key, `$3` host, `$4` seconds for which a key before stays in use, `$5` environment.
    private static let tellKey = Statement(
        "tell the key",
        """
        WITH before AS (
            UPDATE tastytokend.sealers SET seen_at = '-infinity'
            WHERE owner = $1 AND key_id <> $2 AND seen_at > '-infinity'
                AND seen_at < clock_timestamp() - $4::bigint * interval '1 second'
        )
        INSERT INTO tastytokend.sealers (owner, key_id, host, environment, seen_at)
        VALUES ($1, $2, $3, $5, clock_timestamp())
        ON CONFLICT (owner, key_id) DO UPDATE SET
            host = excluded.host, environment = excluded.environment, seen_at = excluded.seen_at
        """
    )

    private static let endSealing = Statement(
        "end sealing",
        "UPDATE tastytokend.sealers SET seen_at = '-infinity' WHERE owner = $1 AND seen_at > '-infinity'"
    )

    private static let sealersQuery = Statement(
        "sealers",
        """
        SELECT s.owner, s.key_id, s.host, s.environment FROM (
            SELECT *, clock_timestamp() - seen_at AS age, max(seen_at) OVER (PARTITION BY owner) AS last
            FROM tastytokend.sealers WHERE owner <> $2 AND seen_at > '-infinity'
        ) s
        WHERE s.age < $3::bigint * interval '1 second'
            OR (s.seen_at = s.last AND s.age < $1::bigint * interval '1 second' AND s.owner NOT LIKE 'reseal-%')
        ORDER BY s.host, s.owner, s.seen_at
        """
    )
}

/// A daemon, and a key that it seals by.
package struct Sealer: Hashable, Sendable {
    /// The id in the daemon's state folder.
    package let owner: String
    /// The key's id; empty where it writes in clear.
    package let keyID: String
    /// The host on which it runs.
    package let host: String
    /// Whose tokens it writes; what it seals is bound to that.
    package let environment: TradeEnvironment?

    /// Puts together what a query gave.
    package init(owner: String, keyID: String, host: String, environment: TradeEnvironment?) {
        self.owner = owner
        self.keyID = keyID
        self.host = host
        self.environment = environment
    }

    fileprivate init?(_ row: PostgresRow) {
        guard let owner = row.text(0), let keyID = row.text(1), let host = row.text(2) else { return nil }
        self.init(owner: owner, keyID: keyID, host: host, environment: row.text(3).flatMap(TradeEnvironment.init))
    }
}
