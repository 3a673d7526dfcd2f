// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOHTTP1
package import TokenCore

extension TokenEndpointClient: AccountProbing {
    /// Asks once for the list of accounts, over the same connections as tokens and within the same bounds.
    ///
    /// - Parameters:
    ///   - accessToken: the token to look with.
    ///   - client: says which API is called; its secret is not sent.
    /// - Returns: how many accounts there are.
    /// - Throws: what became of the question instead.
    package func accounts(
        seenWith accessToken: Secret,
        of client: ClientRegistration
    ) async throws(AccountProbeFailure) -> AccountSummary {
        let address = client.apiURL + "/customers/me/accounts"
        let exchange = TokenExchange(replyLimit: configuration.replyLimit, hasBody: false)
        let request: HTTPClient.Request
        do {
            request = try HTTPClient.Request(
                url: address,
                headers: [
                    "User-Agent": "tastytokend/\(configuration.version)",
                    "Authorization": "Bearer \(accessToken.reveal())",
                    "Accept": "application/json",
                ]
            )
        } catch {
            throw .notReached("\(Self.shown(address)) is no address that can be called")
        }
        let reply: TokenReply
        do throws(TransportFault) {
            reply = try await send(request, exchange, sentAt: clock())
        } catch {
            throw AccountsReading.failure(
                error.failure(calling: Self.shown(address)),
                in: exchange.bareReply,
                at: clock().wall
            )
        }
        return try AccountsReading(reply, receivedAt: clock().wall).summary()
    }

    private static func shown(_ address: String) -> String {
        SafeText(address, toBytes: SafeText.quotationLimit).text
    }
}
