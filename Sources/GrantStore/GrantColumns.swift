// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The application's table as the catalogue has it, quoted for use in statements.
struct GrantColumns: Hashable, Sendable {
    /// Schema and table, so that `search_path` plays no part.
    let table: String
    /// The id column.
    let id: String
    /// The access token's column.
    let accessToken: String
    /// The refresh token's column.
    let refreshToken: String
    /// The expiry's column.
    let expiresAt: String
    /// The id column's type.
    let idType: IdentifierType
    /// The expiry column's type.
    let expiryType: ExpiryType
    /// Whether what changed can be told from what did not: rows lie in pages, know the transaction that made them, and
    /// have one id each.
    let tellsChanges: Bool
    /// Whether triggers for rows can be put on it; they cannot on a view.
    let takesTriggers: Bool
    /// How the database keeps text.
    var encoding: TextEncoding
}

extension GrantColumns {
    /// A condition on row `t`, in SQL: that its id can be told; nil if every id can.
    var legibleID: String? {
        idType.isText ? encoding.isLegible("t.\(id)::text") : nil
    }
}
