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

    private func tell(_ key: String, on connection: PostgresConnection, until deadline: Deadline) throws(StoreError) {
        let arguments = [configuration.owner, key, configuration.host, "\(Self.lastWrites.wholeSecondsUp)"]
        _ = try connection.run(Self.tellKey, arguments, until: deadline)
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

    /// The others that sealed within the last day, each by the keys of the last minute.
    ///
    /// - Throws: as every call of the database. Without the daemon's own schema there are none.
    package func sealers() async throws(StoreFailure) -> [Sealer] {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return [] }
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                let arguments = ["\(Self.silence.wholeSecondsUp)", self.configuration.owner]
                return try connection.run(Self.sealersQuery, arguments, until: deadline).rows(Sealer.init)
            }
        }
    }

    /// Parameters: `$1` owner, `$2` key, `$3` host, `$4` seconds for which a key before stays in use.
    private static let tellKey = Statement(
        "tell the key",
        """
        WITH before AS (
            UPDATE tastytokend.sealers SET seen_at = '-infinity'
            WHERE owner = $1 AND key_id <> $2 AND seen_at > '-infinity'
                AND seen_at < clock_timestamp() - $4::bigint * interval '1 second'
        )
        INSERT INTO tastytokend.sealers (owner, key_id, host, seen_at) VALUES ($1, $2, $3, clock_timestamp())
        ON CONFLICT (owner, key_id) DO UPDATE SET host = excluded.host, seen_at = excluded.seen_at
        """
    )

    private static let endSealing = Statement(
        "end sealing",
        "UPDATE tastytokend.sealers SET seen_at = '-infinity' WHERE owner = $1 AND seen_at > '-infinity'"
    )

    private static let sealersQuery = Statement(
        "sealers",
        """
        SELECT owner, key_id, host FROM tastytokend.sealers
        WHERE seen_at > clock_timestamp() - $1::bigint * interval '1 second' AND owner <> $2 ORDER BY host, owner, seen_at
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

    /// Puts together what a query gave.
    package init(owner: String, keyID: String, host: String) {
        self.owner = owner
        self.keyID = keyID
        self.host = host
    }

    fileprivate init?(_ row: PostgresRow) {
        guard let owner = row.text(0), let keyID = row.text(1), let host = row.text(2) else { return nil }
        self.init(owner: owner, keyID: keyID, host: host)
    }
}
