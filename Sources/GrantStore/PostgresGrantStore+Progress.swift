// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension PostgresGrantStore {
    /// Calls `done` when the connection that writes has come round to it: the sign that it is not stuck. While a
    /// statement waits for the database, that takes until the statement's deadline at most. The connection that claims is
    /// not asked: it nearly always waits while the database hangs, and that must not end the daemon (hard case H26).
    package func comeRound(_ done: @escaping @Sendable () -> Void) {
        writes.comeRound(done)
    }
}
