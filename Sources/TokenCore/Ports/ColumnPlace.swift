// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where a stored secret stands. A sealed one can be bound to its place, so that it opens nowhere else.
package struct ColumnPlace: Hashable, Sendable {
    /// The columns that hold secrets, by the names that are sealed into them. These never change: a value that was sealed
    /// under another name would not open.
    package enum Column: String, Hashable, Sendable, CaseIterable {
        /// A user's access token.
        case accessToken = "access_token"
        /// A user's refresh token.
        case refreshToken = "refresh_token"
        /// An OAuth client's secret.
        case clientSecret = "client_secret"
    }

    /// The world whose secret it is.
    package let environment: TradeEnvironment
    /// Which of the row's secrets it is.
    package let column: Column
    /// The row's id: the user's, or the name of the client. Compared byte for byte, as ``UserID`` is.
    package let row: UserID

    /// The place of one of a user's tokens.
    package init(_ column: Column, of user: UserID, in environment: TradeEnvironment) {
        self.environment = environment
        self.column = column
        self.row = user
    }

    /// The place of a client's secret.
    package init(secretOfClient name: String, in environment: TradeEnvironment) {
        self.init(.clientSecret, of: UserID(name), in: environment)
    }
}
