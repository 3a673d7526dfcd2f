// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1

/// `GET /customers/me/accounts`, the cheap way to see whether an access token is alive (fact sheet section 12).
struct AccountsRoute: Sendable {
    /// The path.
    static let path = "/customers/me/accounts"
    /// What an access token must allow.
    static let scope = "read"

    private struct Listing: Encodable {
        struct Items: Encodable { let items: [Item] }
        struct Item: Encodable {
            let account: Account
            let authorityLevel = "owner"

            enum CodingKeys: String, CodingKey {
                case account
                case authorityLevel = "authority-level"
            }
        }
        struct Account: Encodable {
            let accountNumber: String
            let nickname = "Individual"
            let accountTypeName = "Individual"
            let marginOrCash = "Margin"
            let isClosed = false
            let isFirmError = false
            let isFirmProprietary = false
            let isFuturesApproved = true
            let isForeign = false
            let dayTraderStatus = false
            let openedAt = "2025-01-02T14:30:00.000+00:00"
            let createdAt = "2025-01-02T14:30:00.000+00:00"

            enum CodingKeys: String, CodingKey {
                case accountNumber = "account-number"
                case nickname
                case accountTypeName = "account-type-name"
                case marginOrCash = "margin-or-cash"
                case isClosed = "is-closed"
                case isFirmError = "is-firm-error"
                case isFirmProprietary = "is-firm-proprietary"
                case isFuturesApproved = "is-futures-approved"
                case isForeign = "is-foreign"
                case dayTraderStatus = "day-trader-status"
                case openedAt = "opened-at"
                case createdAt = "created-at"
            }
        }

        let data: Items
        let context = AccountsRoute.path
    }

    /// The access token of a request; nil if it brings none in the one form that counts.
    static func bearerToken(of request: SimulatedRequest) -> String? {
        guard let value = request.headers.first(name: "Authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }

    /// The list of a user's one account, with what SDKs insist on.
    static func listing(for user: String) -> SimulatedReply {
        let account = Listing.Account(accountNumber: accountNumber(of: user))
        return .json(200, Listing(data: .init(items: [.init(account: account)])))
    }

    /// The answer where the token is missing, dead or not ours.
    static let unauthorized = SimulatedReply.envelope(401, "unauthorized", "The access token is missing or not valid")

    /// The answer where the token does not allow this.
    static let notPermitted = SimulatedReply.envelope(403, "not_permitted", "The access token lacks the scope read")

    /// Five letters and digits that follow from the user's name (FNV-1a), after the usual prefix.
    private static func accountNumber(of user: String) -> String {
        let hash = user.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let digits = String(hash % 60_466_176, radix: 36, uppercase: true)
        return "5WT" + String(repeating: "0", count: max(5 - digits.count, 0)) + digits
    }
}
