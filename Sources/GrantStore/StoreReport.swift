// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What the store found when it looked at the database; for the log at start, `check` and status.
package struct StoreReport: Hashable, Sendable {
    /// The application's table, quoted, with its schema.
    package let table: String
    /// The id column's type.
    package let idType: String
    /// The expiry column's type.
    package let expiryType: String
    /// Whether the daemon has a place for what it remembers.
    package let ownSchema: OwnSchema
    /// Whether the table tells of its changes.
    package let trigger: TriggerStatus
    /// What works, but deserves an operator's look; a sentence each.
    package let notices: [String]
}

/// The statements that fit what was found.
struct StorePlan: Sendable {
    /// What was found.
    let report: StoreReport
    /// The table.
    let columns: GrantColumns
    /// The statements.
    let queries: GrantQueries
    /// How the tokens' columns are read and written.
    let tokens: TokenColumns
    /// Where it is written down whose tokens are read or written.
    let hands: any AccountsInHand

    private init(_ columns: GrantColumns, _ report: StoreReport, _ tokens: TokenColumns, _ hands: any AccountsInHand) {
        self.columns = columns
        self.queries = GrantQueries(columns: columns, hasOwnSchema: report.ownSchema.isPresent, tokens)
        self.report = report
        self.tokens = tokens
        self.hands = hands
    }

    /// The same with other knowledge of the database's encoding.
    func with(_ encoding: TextEncoding) -> StorePlan {
        var columns = columns
        columns.encoding = encoding
        return StorePlan(columns, report, tokens, hands)
    }

    /// Fits the statements to a table and a schema.
    init(
        _ finding: TableInspection.Finding,
        _ ownSchema: OwnSchema,
        _ trigger: TriggerStatus,
        _ tokens: TokenColumns,
        _ hands: any AccountsInHand
    ) {
        let report = StoreReport(
            table: finding.columns.table,
            idType: finding.columns.idType.rawValue,
            expiryType: finding.columns.expiryType.name,
            ownSchema: ownSchema,
            trigger: trigger,
            notices: finding.notices
        )
        self.init(finding.columns, report, tokens, hands)
    }
}
