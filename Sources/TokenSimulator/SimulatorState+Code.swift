// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension SimulatorState {
    /// Gives out a code for what a person authorised.
    mutating func issueCode(
        to customer: String,
        _ ask: AuthorizeRoute.Ask,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> String {
        let code = nextID()
        let authorization = CodeLedger.Authorization(
            customer: customer,
            clientID: ask.client.id,
            redirectURI: ask.redirectURI,
            scope: ask.scopes.joined(separator: " "),
            expiresAt: now + lifetime
        )
        codes.issued(code, for: authorization)
        return code
    }

    /// What a code brings. One that is used again costs the grant of its first use (RFC 6749 section 4.1.2).
    mutating func codeAnswer(
        _ presented: CodeLedger.Presented,
        issuer: String,
        _ effects: FaultEffects,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> Answer {
        switch codes.standing(of: presented, at: now) {
        case .unknown: return refused("Invalid authorization code")
        case .otherRedirect: return refused("Invalid redirect_uri")
        case .expired: return refused("Authorization code expired")
        case .good where effects.expiresCode: return refused("Authorization code expired")
        case .used(let grant):
            return Answer(
                action: .reply(TokenRoute.invalidCode("Authorization code already used")),
                outcome: .codeReused,
                standing: ledger.presentUsedCode(of: grant),
                grant: grant
            )
        case .good(let authorization):
            let grant = newGrant(authorization, effects, issuer: issuer, at: now)
            codes.used(presented.code, for: grant)
            var issue = issue(grant, effects, lifetime: lifetime, at: now)
            issue.newGrant = grant
            issue.isFirst = true
            return Answer(
                action: .issue(issue),
                outcome: effects.isMalformed ? .malformed : .issued,
                grant: grant
            )
        }
    }

    private func refused(_ description: String) -> Answer {
        Answer(action: .reply(TokenRoute.invalidCode(description)), outcome: .invalidGrant)
    }

    private mutating func newGrant(
        _ authorization: CodeLedger.Authorization,
        _ effects: FaultEffects,
        issuer: String,
        at now: SimulatorInstant
    ) -> TokenMint.GrantClaims {
        let grant = TokenMint.GrantClaims(
            iss: issuer,
            sub: effects.customer ?? authorization.customer,
            iat: now.seconds,
            aud: authorization.clientID,
            grant_id: nextID(),
            scope: authorization.scope
        )
        ledger.made(grantID: grant.grant_id, for: grant.sub, client: grant.aud)
        return grant
    }
}
