// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension TradeEnvironment {
    /// Where applications are kept (fact sheet section 2).
    package var applicationsPage: String {
        switch self {
        case .production: "my.tastytrade.com (Manage > My Profile > API > OAuth Applications)"
        case .sandbox: "the sandbox page of developer.tastytrade.com"
        }
    }

    /// How a grant is made by hand: the end of a sentence.
    var makeAGrant: String {
        switch self {
        case .production: "make a new grant at \(applicationsPage), with Manage and Create Grant."
        case .sandbox: "make a new grant for the sandbox user at \(applicationsPage)."
        }
    }
}
