// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
package import TokenCore

extension Configuration {
    /// Where the accounts are.
    package struct Database: Sendable {
        /// How libpq finds the database; nil: by its own `PG*` variables. Secret, since a password may be part of it.
        package let url: Secret?
        /// The direct connection for LISTEN; nil: as `url`.
        package let listenURL: Secret?
        /// The application's table as in SQL, with or without its schema; safe to put into a statement.
        package let table: String
        /// The columns of that table.
        package let columns: Columns
        /// How often the whole table is compared with what the daemon holds.
        package let reconcileEvery: Duration
    }

    /// Columns of the application's table as in SQL; safe to put into a statement.
    package struct Columns: Hashable, Sendable {
        /// Whose row it is.
        package let id: String
        /// The access token.
        package let accessToken: String
        /// The refresh token.
        package let refreshToken: String
        /// When the access token dies.
        package let expiresAt: String
    }
}

extension Configuration.Database {
    /// Reads `database.*`.
    init(reading reader: inout SettingReader) {
        url = Self.url("database.url", hasFile: true, credential: "database-url", reading: &reader)
        if url == nil { reader.note("database.url", "(libpq's own PG… variables)") }
        listenURL = Self.url("database.listenUrl", hasFile: false, credential: nil, reading: &reader)
        table = reader.value("database.table", .table)
        columns = Configuration.Columns(reading: &reader)
        reconcileEvery = reader.value("database.reconcileEvery", .duration(.seconds(1)...(.seconds(86_400))))
    }

    private static func url(
        _ key: String,
        hasFile: Bool,
        credential: String?,
        reading reader: inout SettingReader
    ) -> Secret? {
        guard let secret = reader.secret(key, file: hasFile, credential: credential) else { return nil }
        // The text is not quoted: what is no URL may still hold a password.
        do throws(SettingComplaint) {
            let url = Secret(try SettingForm.databaseURL.read(secret.reveal()))
            try checkParts(of: url)
            return url
        } catch {
            reader.mistake(key, error.problem, error.remedy)
            return nil
        }
    }

    private static func checkParts(of url: Secret) throws(SettingComplaint) {
        do throws(ConnectionStringFault) {
            _ = try ConnectionString.options(of: url)
        } catch {
            throw SettingComplaint("cannot be read (\(error.reason))", "write \(ConnectionString.form)")
        }
    }
}

extension Configuration.Columns {
    /// Reads `database.columns.*`.
    fileprivate init(reading reader: inout SettingReader) {
        id = reader.value("database.columns.id", .column)
        accessToken = reader.value("database.columns.accessToken", .column)
        refreshToken = reader.value("database.columns.refreshToken", .column)
        expiresAt = reader.value("database.columns.expiresAt", .column)
        let names = ["id", "accessToken", "refreshToken", "expiresAt"].map { "database.columns.\($0)" }
        let distinct = Set([id, accessToken, refreshToken, expiresAt].map { SQLName.parts(of: $0) })
        reader.require(
            distinct.count == names.count,
            names,
            "two of database.columns are the same column",
            "give each its own"
        )
    }
}
