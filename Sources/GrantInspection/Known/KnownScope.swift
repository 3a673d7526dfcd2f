// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The scopes that TastyTrade has (fact sheet section 2).
enum KnownScope: String, CaseIterable {
    case read
    case trade
    case openid

    /// The finding about a grant that lacks it.
    var lackCode: FindingCode {
        switch self {
        case .read: .scopeLacksRead
        case .trade: .scopeLacksTrade
        case .openid: .scopeLacksOpenID
        }
    }

    /// What does not work without it.
    var lack: String {
        switch self {
        case .read: "accounts, balances, positions and orders cannot be read"
        case .trade: "orders cannot be placed, changed or cancelled"
        case .openid: "TastyTrade sends no identity token, which nothing here needs"
        }
    }
}
