// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A row told by numbers: enough to see that it is not what we hold.
package struct RowDigest: Hashable, Sendable {
    /// Whose row it is.
    package let user: UserID
    /// The stored refresh token's version; nil where there is none.
    package let grantVersion: Int64?
    /// The expiry's column.
    package let expiresAt: WallTime?

    /// Puts together what a query gave.
    package init(user: UserID, grantVersion: Int64?, expiresAt: WallTime?) {
        self.user = user
        self.grantVersion = grantVersion
        self.expiresAt = expiresAt
    }
}

/// A point in the life of a table: what was changed later can be told from what was not.
package struct PassMark: Hashable, Sendable {
    /// Which server, since when, and which table; the marks of another one mean nothing.
    package let origin: String
    /// The oldest transaction that was not over; whatever it and later ones change is told by the next pass.
    package let transaction: Int64

    /// Puts together what the store gave.
    package init(origin: String, transaction: Int64) {
        self.origin = origin
        self.transaction = transaction
    }
}

/// What a pass over the table came to.
package struct TablePass: Hashable, Sendable {
    /// Where the next pass can go on; nil if this table can only be looked at as a whole.
    package let mark: PassMark?
    /// Whether every row was told; if not, only those that were changed since the mark that the pass was given.
    package let isComplete: Bool
    /// How many rows there are. If fewer than are held, some were deleted.
    package let rowCount: Int

    /// Puts together what the store gave.
    package init(mark: PassMark?, isComplete: Bool, rowCount: Int) {
        self.mark = mark
        self.isComplete = isComplete
        self.rowCount = rowCount
    }
}
