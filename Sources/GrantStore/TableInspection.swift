// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Looks at the application's table before anything is read from it, and says what is wrong in the operator's words.
struct TableInspection {
    /// What was found.
    struct Finding: Sendable {
        /// The table, ready for use in statements.
        let columns: GrantColumns
        /// What works, but deserves an operator's look.
        let notices: [String]
    }

    private struct Table {
        let oid: String
        let schema: SQLIdentifier
        let name: SQLIdentifier
        let kind: String
        let hasRowSecurity: Bool
        let role: String
        let isPaged: Bool
        let encoding: TextEncoding

        var quoted: String { "\(schema.quoted).\(name.quoted)" }
    }

    private struct Column {
        let name: String
        let type: String
        let modifier: Int64
        let isReadable: Bool
        let isWritable: Bool
        let isGenerated: Bool
        let isUnique: Bool
    }

    /// The oldest server that has all that the statements use (`FOR … SKIP LOCKED`, `hashtextextended`,
    /// `attgenerated`).
    private static let oldestServer = 12_00_00

    private let connection: PostgresConnection
    private let names: GrantTableNames
    private let deadline: Deadline

    /// Looks, and gives the table or a failure of kind `misconfigured`.
    static func run(
        _ names: GrantTableNames,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) throws(StoreError) -> Finding {
        try TableInspection(connection: connection, names: names, deadline: deadline).finding()
    }

    private func finding() throws(StoreError) -> Finding {
        guard connection.serverVersion >= Self.oldestServer else {
            throw wrong("The server is older than PostgreSQL 12 (it says \(connection.serverVersion)).")
        }
        let table = try table()
        guard ["r", "p", "v"].contains(table.kind) else {
            throw wrong("database.table names \(table.quoted), which is neither a table nor a view.")
        }
        let columns = try columns(of: table)
        let wrongs = GrantTableNames.Part.allCases.flatMap { complaints(about: columns[$0], $0, in: table) }
        guard wrongs.isEmpty else { throw StoreError(misconfigured: wrongs) }
        return Finding(columns: try resolved(table, columns), notices: notices(table, columns))
    }

    private func table() throws(StoreError) -> Table {
        let result = try connection.run(CatalogueQueries.table, [names.quotedTable], until: deadline)
        let tables = result.rows { row in
            Table(
                oid: row.text(0) ?? "",
                schema: SQLIdentifier(catalogue: row.text(1) ?? ""),
                name: SQLIdentifier(catalogue: row.text(2) ?? ""),
                kind: row.text(3) ?? "",
                hasRowSecurity: row.flag(4),
                role: row.text(5) ?? "",
                isPaged: row.flag(6),
                encoding: TextEncoding(name: row.text(7) ?? "", longestCharacter: row.integer(8) ?? 0)
            )
        }
        guard let table = tables.first else { throw try missingTable() }
        return table
    }

    private func missingTable() throws(StoreError) -> StoreError {
        let last = names.table[names.table.count - 1]
        let result = try connection.run(CatalogueQueries.elsewhere, [last.name], until: deadline)
        let hints =
            result.rows { row in (0..<4).map { row.text($0).map { SafeText(foreign: $0).text } ?? "" } }.first ?? []
        guard hints.count == 4 else { return wrong("There is no table \(names.quotedTable).") }
        let place = hints[3].isEmpty ? "Correct database.table." : "Did you mean \(hints[3])? Set database.table to it."
        let path = names.table.count == 1 ? " (search_path: \(hints[1]))" : ""
        return wrong(
            "There is no table \(names.quotedTable) that role '\(hints[0])' can see in database '\(hints[2])'\(path). "
                + place
        )
    }

    private func columns(of table: Table) throws(StoreError) -> [GrantTableNames.Part: Column] {
        let wanted = ArrayLiteral.of(texts: GrantTableNames.Part.allCases.map { names[$0].name })
        let result = try connection.run(CatalogueQueries.columns, [table.oid, wanted], until: deadline)
        let found = result.rows { row in
            Column(
                name: row.text(0) ?? "",
                type: row.text(1) ?? "",
                modifier: row.integer(2) ?? -1,
                isReadable: row.flag(3),
                isWritable: row.flag(4),
                isGenerated: row.flag(5),
                isUnique: row.flag(6)
            )
        }
        var columns: [GrantTableNames.Part: Column] = [:]
        for part in GrantTableNames.Part.allCases { columns[part] = found.first { $0.name == names[part].name } }
        return columns
    }

    /// What is wrong with a column; a sentence each.
    private func complaints(about column: Column?, _ part: GrantTableNames.Part, in table: Table) -> [String] {
        let (name, place) = (names[part].quoted, "\(table.quoted).\(names[part].quoted)")
        guard let column else { return ["Table \(table.quoted) has no column \(name); set \(part.key)."] }
        let role = "\(SQLIdentifier(catalogue: table.role).quoted);"
        var complaints: [String] = []
        if !isSuitable(column, part) {
            complaints.append("Column \(place) is of type \(column.type); \(part.key) must be \(suitable(part)).")
        }
        if !column.isReadable {
            complaints.append(
                "Role '\(table.role)' may not read \(place). GRANT SELECT (\(name)) ON \(table.quoted) TO \(role)"
            )
        }
        if part != .id, column.isGenerated {
            complaints.append("Column \(place) is generated and cannot be written.")
        } else if part != .id, !column.isWritable {
            complaints.append(
                "Role '\(table.role)' may not write \(place). GRANT UPDATE (\(name)) ON \(table.quoted) TO \(role)"
            )
        }
        return complaints
    }

    private func isSuitable(_ column: Column, _ part: GrantTableNames.Part) -> Bool {
        switch part {
        case .id: IdentifierType(rawValue: column.type) != nil
        case .accessToken, .refreshToken: ["text", "character varying", "citext"].contains(column.type)
        case .expiresAt: ExpiryType(catalogue: column.type, modifier: column.modifier) != nil
        }
    }

    private func suitable(_ part: GrantTableNames.Part) -> String {
        switch part {
        case .id: "bigint, integer, uuid or text"
        case .accessToken, .refreshToken: "text"
        case .expiresAt: "timestamp (in UTC) or timestamp with time zone"
        }
    }

    private func resolved(
        _ table: Table,
        _ columns: [GrantTableNames.Part: Column]
    ) throws(StoreError) -> GrantColumns {
        guard let id = columns[.id].flatMap({ IdentifierType(rawValue: $0.type) }),
            let expiry = columns[.expiresAt].flatMap({ ExpiryType(catalogue: $0.type, modifier: $0.modifier) })
        else { throw wrong("Table \(table.quoted) cannot be used.") }
        return GrantColumns(
            table: table.quoted,
            id: names[.id].quoted,
            accessToken: names[.accessToken].quoted,
            refreshToken: names[.refreshToken].quoted,
            expiresAt: names[.expiresAt].quoted,
            idType: id,
            expiryType: expiry,
            tellsChanges: tellsChanges(table, columns),
            takesTriggers: table.kind != "v",
            encoding: table.encoding
        )
    }

    /// Ranges of pages are read as such since PostgreSQL 14; an older server would read all pages for each range.
    private func tellsChanges(_ table: Table, _ columns: [GrantTableNames.Part: Column]) -> Bool {
        connection.serverVersion >= 14_00_00 && table.isPaged && columns[.id]?.isUnique == true
    }

    private func notices(_ table: Table, _ columns: [GrantTableNames.Part: Column]) -> [String] {
        var notices: [String] = []
        if columns[.id]?.isUnique == false {
            notices.append(
                "No unique index on \(table.quoted) (\(names[.id].quoted)) keeps two rows from having one id."
            )
        }
        if table.hasRowSecurity {
            notices.append("Row security applies to role '\(table.role)' on \(table.quoted): it may not see every row.")
        }
        if table.kind != "v", connection.serverVersion >= 14_00_00, !table.isPaged {
            notices.append(
                "Every pass that looks for changes reads all of \(table.quoted). To have it look at new rows alone: "
                    + "GRANT SELECT (ctid, xmin) ON \(table.quoted) TO \(SQLIdentifier(catalogue: table.role).quoted);"
            )
        }
        return notices
    }

    private func wrong(_ text: String) -> StoreError {
        StoreError(.misconfigured, reach: .statement, text: text)
    }
}
