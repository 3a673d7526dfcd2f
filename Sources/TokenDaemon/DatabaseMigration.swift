// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import Logging
import TokenCore

/// `tastytokend migrate` from the command line to what it prints.
package struct DatabaseMigration: Sendable {
    /// What is to be done.
    package enum Task: Sendable {
        /// Bring schema `tastytokend` and the trigger on the application's table up to date.
        case apply
        /// Print what that would be, as a script.
        case print
        /// Undo all of it.
        case remove
    }

    private let invocation: Invocation

    /// Takes what the process was started with.
    package init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    /// Does it.
    ///
    /// - Parameter task: what is to be done.
    /// - Returns: what is to be printed; its lines end with a line's end.
    /// - Throws: why it could not be done, with the exit status. Nothing is changed then.
    package func run(_ task: Task) async throws(DaemonFailure) -> String {
        let store = try store()
        defer { store.close() }
        do throws(StoreFailure) {
            switch task {
            case .apply: return Self.words(try await store.migrate())
            case .print: return Self.script(try await store.migrationPlan())
            case .remove: return Self.removalWords(try await store.removeMigration())
            }
        } catch {
            throw DaemonFailure(error)
        }
    }

    private func store() throws(DaemonFailure) -> PostgresGrantStore {
        let loaded = try invocation.configuration(needsClient: false)
        return PostgresGrantStore(
            configuration: StoreConfiguration(loaded.configuration.database),
            clock: invocation.clock,
            random: { 0 },
            logger: Logger(label: "tastytokend") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private static func words(_ outcome: PostgresGrantStore.MigrationOutcome) -> String {
        let done =
            outcome.statements.isEmpty
            ? "Everything is up to date; nothing was changed."
            : "Schema tastytokend and the trigger are up to date (statements run: \(outcome.statements.count))."
        return ([done] + outcome.notices).joined(separator: "\n") + "\n"
    }

    private static func removalWords(_ outcome: PostgresGrantStore.MigrationOutcome) -> String {
        outcome.statements.isEmpty
            ? "There is no schema tastytokend; nothing was changed.\n"
            : "Schema tastytokend and the trigger are removed. A daemon that may make the schema does so at its start.\n"
    }

    private static func script(_ outcome: PostgresGrantStore.MigrationOutcome) -> String {
        let notices = outcome.notices.map { "-- \($0)\n" }.joined()
        guard !outcome.statements.isEmpty else {
            return notices + "-- Everything is up to date; nothing is to be done.\n"
        }
        let statements = outcome.statements.map { $0.hasSuffix(";\n") ? $0 : $0 + ";\n" }.joined(separator: "\n")
        return notices + "-- For psql, as a role that may. Nothing is changed if any of it fails.\n"
            + "\\set ON_ERROR_STOP on\nBEGIN;\n\n\(statements)\nCOMMIT;\n"
    }
}
