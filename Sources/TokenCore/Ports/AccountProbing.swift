// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who looks what an access token is good for. Adapter: `TokenEndpoint`.
package protocol AccountProbing: Sendable {
    /// Asks once for the list of accounts, which needs the scope `read` (fact sheet section 12), and keeps nothing of it that says whose
    /// they are. TastyTrade wants that asked once a second at most. It ends within some seconds: a person waits for it.
    ///
    /// - Parameters:
    ///   - accessToken: the token to look with.
    ///   - client: says which API is called; its secret is not sent.
    /// - Returns: how many accounts there are, or what became of the question, and what the other side's clock says.
    func probe(_ accessToken: Secret, of client: ClientRegistration) async -> AccountProbe
}
