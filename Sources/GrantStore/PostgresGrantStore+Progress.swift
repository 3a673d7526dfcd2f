// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension PostgresGrantStore {
    /// Calls `done` when the connection that claims and reads has come round to it: the sign that it is not stuck. While a
    /// statement waits for the database, that takes until the statement's deadline at most.
    package func comeRoundToClaims(_ done: @escaping @Sendable () -> Void) {
        reads.comeRound(done)
    }

    /// The same for the connection that writes.
    package func comeRoundToWrites(_ done: @escaping @Sendable () -> Void) {
        writes.comeRound(done)
    }
}
