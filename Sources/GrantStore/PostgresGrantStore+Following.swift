// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore {
    private static let notify = Statement("notify", "SELECT pg_notify($1, $2)")

    /// Which way the daemon learns of changes at the moment; readable from any thread.
    package var feed: ChangeFeed { changeFeed.feed }

    /// Hands over news of changed rows as the database tells them, until the task is cancelled. Where it does not, or
    /// while it is away, there are none; after that ``ChangeNews/unknown`` comes first.
    package func follow(_ receive: @escaping @Sendable (ChangeNews) async -> Void) async {
        await listener.run(receive)
    }

    /// What listens, on the session that is for it alone.
    var listener: ChangeListener {
        let surroundings = ChangeListener.Surroundings(
            trigger: { () async throws(StoreFailure) in try await self.trigger() },
            notify: { payload async throws(StoreFailure) in try await self.notify(payload) }
        )
        return ChangeListener(on: listening, surroundings, listenSettings, showing: changeFeed)
    }

    /// Whether the trigger is there now.
    func trigger() async throws(StoreFailure) -> TriggerStatus {
        // Somebody may have migrated since; until that is noticed nothing is claimed.
        if report?.ownSchema.isPresent == false { try await open() }
        return try await withPlan { plan async throws(StoreFailure) in
            try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try ChangeTrigger(plan.columns).status(on: connection, until: deadline)
            }
        }
    }

    /// Sends a payload to everybody who listens.
    func notify(_ payload: String) async throws(StoreFailure) {
        try await reads.run(within: configuration.statementDeadline) { connection, deadline throws(StoreError) in
            try connection.run(Self.notify, [ChangeTrigger.channel, payload], until: deadline)
            return
        }
    }
}
