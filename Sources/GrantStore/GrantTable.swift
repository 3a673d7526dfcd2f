// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Where the application keeps its grants, in SQL's spelling as the configuration has it (product.md, Configuration).
package struct GrantTable: Hashable, Sendable {
    /// `database.table`; with or without a schema.
    package var table: String
    /// `database.columns.id`.
    package var id: String
    /// `database.columns.accessToken`.
    package var accessToken: String
    /// `database.columns.refreshToken`.
    package var refreshToken: String
    /// `database.columns.expiresAt`.
    package var expiresAt: String

    /// The names that the contract gives as defaults, each of which can be replaced.
    package init(
        table: String = "users",
        id: String = "id",
        accessToken: String = "tastytrade_oauth_token",
        refreshToken: String = "tastytrade_oauth_refresh_token",
        expiresAt: String = "tastytrade_oauth_expires_at"
    ) {
        self.table = table
        self.id = id
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
    }
}

/// The configured names after parsing; whether they exist is not known yet.
struct GrantTableNames: Hashable, Sendable {
    /// One of the table's columns by its part.
    enum Part: String, CaseIterable, Sendable {
        case id, accessToken, refreshToken, expiresAt

        /// The configuration's key.
        var key: String { "database.columns.\(rawValue)" }
    }

    /// The table's name, with its schema where one was given.
    let table: [SQLIdentifier]
    private let columns: [Part: SQLIdentifier]

    /// Parses the names, or says which key is wrong.
    init(_ settings: GrantTable) throws(StoreError) {
        self.table = try Self.parse(settings.table, key: "database.table", atMost: 2)
        var columns: [Part: SQLIdentifier] = [:]
        for part in Part.allCases {
            let name = try Self.parse(settings.spelling(of: part), key: part.key, atMost: 1)[0]
            if let twin = columns.first(where: { $0.value == name }) {
                throw Self.misconfigured("\(twin.key.key) and \(part.key) name the same column, \(name.quoted).")
            }
            columns[part] = name
        }
        self.columns = columns
    }

    /// The name of a column.
    subscript(part: Part) -> SQLIdentifier { columns[part] ?? SQLIdentifier(catalogue: part.rawValue) }

    /// The table's name, quoted, for `to_regclass`.
    var quotedTable: String { table.map(\.quoted).joined(separator: ".") }

    private static func parse(_ text: String, key: String, atMost limit: Int) throws(StoreError) -> [SQLIdentifier] {
        do throws(SQLIdentifierError) {
            return try SQLIdentifier.path(text, atMost: limit)
        } catch {
            throw misconfigured("\(key) is not a name in SQL: \(error). It says: \(SafeText(foreign: text))")
        }
    }

    private static func misconfigured(_ text: String) -> StoreError {
        StoreError(.misconfigured, reach: .statement, text: text)
    }
}

extension GrantTable {
    fileprivate func spelling(of part: GrantTableNames.Part) -> String {
        switch part {
        case .id: id
        case .accessToken: accessToken
        case .refreshToken: refreshToken
        case .expiresAt: expiresAt
        }
    }
}
