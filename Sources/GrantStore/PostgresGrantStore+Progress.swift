// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension PostgresGrantStore {
    /// Calls `done` when the connection that writes has come round to it: the sign that it is not stuck. While a
    /// statement waits for the database, that takes until the statement's deadline at most.
    package func comeRound(_ done: @escaping @Sendable () -> Void) {
        writes.comeRound(done)
    }
}
