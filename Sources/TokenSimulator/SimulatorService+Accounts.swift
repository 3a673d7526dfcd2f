// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension SimulatorService {
    /// Lists the accounts, for an access token that lives and allows it.
    func answerAccounts(_ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery {
        // What a gateway does not like of a caller it does not like on any route.
        if case .userAgentRefused(let isEmpty) = update({ $0.faults.strikeUserAgent(at: now) }) {
            let page = ErrorPage(401, body: isEmpty ? .empty : .html)
            return deliver(.reply(.errorPage(page).dated(now)), .userAgentRefused, request, at: now)
        }
        guard let claims = AccountsRoute.bearerToken(of: request).flatMap({ liveToken($0, at: now) }) else {
            return deliver(.reply(AccountsRoute.unauthorized.dated(now)), .unauthorized, request, at: now)
        }
        guard ScopeText.words(claims.scope).contains(AccountsRoute.scope) else {
            return deliver(
                .reply(AccountsRoute.notPermitted.dated(now)),
                .forbidden,
                request,
                account: claims.sub,
                at: now
            )
        }
        let listing = AccountsRoute.listing(for: claims.sub).dated(now)
        return deliver(.reply(listing), .listed, request, account: claims.sub, at: now)
    }

    /// What an access token says; nil if it is dead or not ours.
    func liveToken(_ token: String, at now: SimulatorInstant) -> TokenMint.AccessClaims? {
        guard let claims = mint.accessClaims(of: token), claims.expiresAt > now else { return nil }
        return update { $0.ledger.isKilled(claims) } ? nil : claims
    }
}

extension SimulatedReply {
    /// The reply with its date, from which a caller learns how far its clock is off.
    fileprivate func dated(_ now: SimulatorInstant) -> SimulatedReply {
        var reply = self
        reply.fields.append(Field(name: "Date", value: now.httpDate))
        return reply
    }
}
