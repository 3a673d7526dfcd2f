// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOHTTP1
package import TokenCore

extension TokenEndpointClient: AccountProbing {
    /// Asks once for the list of accounts, over the same connections as tokens and within the same bounds, but for less time.
    ///
    /// - Parameters:
    ///   - accessToken: the token to look with.
    ///   - client: says which API is called; its secret is not sent.
    /// - Returns: how many accounts there are, or what became of the question, and what the other side's clock says.
    package func probe(_ accessToken: Secret, of client: ClientRegistration) async -> AccountProbe {
        let exchange = TokenExchange(replyLimit: configuration.replyLimit, hasBody: false)
        let outcome: Result<AccountSummary, AccountProbeFailure>
        do throws(AccountProbeFailure) {
            outcome = .success(try await accounts(seenWith: accessToken, of: client, exchange))
        } catch {
            outcome = .failure(error)
        }
        return AccountProbe(
            outcome,
            endpointTime: exchange.bareReply?.date.flatMap(HTTPDate.read),
            endedAt: clock().wall
        )
    }

    private func accounts(
        seenWith accessToken: Secret,
        of client: ClientRegistration,
        _ exchange: TokenExchange
    ) async throws(AccountProbeFailure) -> AccountSummary {
        let address = client.apiURL + "/customers/me/accounts"
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
            let limit = min(configuration.timeout, configuration.probeTimeout)
            reply = try await send(request, exchange, sentAt: clock(), within: limit)
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
