// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension SimulatorService {
    /// Lists the accounts, for an access token that lives and allows it.
    func answerAccounts(_ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery {
        guard let claims = AccountsRoute.bearerToken(of: request).flatMap({ liveToken($0, at: now) }) else {
            return deliver(.reply(AccountsRoute.unauthorized), .unauthorized, request, at: now)
        }
        guard ScopeText.words(claims.scope).contains(AccountsRoute.scope) else {
            return deliver(.reply(AccountsRoute.notPermitted), .forbidden, request, account: claims.sub, at: now)
        }
        return deliver(.reply(AccountsRoute.listing(for: claims.sub)), .listed, request, account: claims.sub, at: now)
    }

    /// What an access token says; nil if it is dead or not ours.
    func liveToken(_ token: String, at now: SimulatorInstant) -> TokenMint.AccessClaims? {
        guard let claims = mint.accessClaims(of: token), claims.expiresAt > now else { return nil }
        return update { $0.ledger.isKilled(claims) } ? nil : claims
    }
}
