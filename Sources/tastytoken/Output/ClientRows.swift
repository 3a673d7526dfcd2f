// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// OAuth clients as the cells of a table, titles first.
struct ClientRows {
    /// A row each.
    let cells: [[String]]

    /// Lays clients out.
    init(_ clients: [ClientReply]) {
        let titles = [
            "NAME", "ENVIRONMENT", "CLIENT ID", "ACCOUNTS", "SECRET SINCE", "SCOPES", "REDIRECT URI", "OBSTACLE",
        ]
        cells =
            [titles]
            + clients.map { client in
                [
                    client.name, client.environment, client.clientID ?? "-", String(client.accounts),
                    client.secretChangedAt ?? "-", client.scopes.joined(separator: " "), client.redirectURI,
                    client.obstacle ?? "-",
                ].map(Failure.shown)
            }
    }
}

/// Cells in columns that are two spaces apart.
struct TextTable {
    /// The lines, without their ends.
    let lines: [String]

    /// Lays rows out; each has as many cells as the first.
    init(_ rows: [[String]]) {
        let columns = rows.first?.indices.map { column in rows.map { $0[column].count }.max() ?? 0 } ?? []
        lines = rows.map { row in
            let padded = zip(row, columns).map { cell, width in cell + String(repeating: " ", count: width - cell.count)
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
